/* SPDX-License-Identifier: GPL-2.0 */
/* What the mix, the scenarios and the state file of fs_integrity share. */
#ifndef FS_INTEGRITY_H
#define FS_INTEGRITY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/types.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../kselftest.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define SLOT_WORDS	125U
#define SLOT_BYTES	(SLOT_WORDS * 8U)
#define SLOTS		2048U	/* whole pages */
#define FILE_WORDS	(SLOTS * SLOT_WORDS)
#define FILE_BYTES	(SLOTS * SLOT_BYTES)
#define FILES		3U
#define MAX_THREADS	32U
#define DIRECT_ALIGN	4096U
#define BUF_BYTES	65536U	/* more than any operation but a clone's reads */

struct thread {
	pthread_t pthread;
	unsigned int id;
	__u64 rng;
	const char *doing;
	__u64 *buf;			/* BUF_BYTES, aligned for direct I/O */
	unsigned long sigbus, busy;
};

struct options {
	const char *dir;
	const char *state;
	const char *error_cmd;
	__u64 seed;
	unsigned int seconds;
	unsigned int threads;
	size_t nospc_bytes;
	unsigned int uid;
	bool verify, inject, freeze, late, alone;
};

extern struct options opt;
extern struct thread threads[MAX_THREADS];
extern atomic_bool stop;
extern atomic_bool failed;
extern unsigned long page_size;
extern __thread sigjmp_buf *bus_jmp;
extern __thread struct thread *self;

void fail(const char *fmt, ...) __printf(1, 2);
void die(const char *fmt, ...) __printf(1, 2) __noreturn;

__u64 mix(__u64 x);
__u64 place(unsigned int file, size_t index);
__u64 word(unsigned int file, size_t index, unsigned int gen);
__s64 gen_of(unsigned int file, size_t index, __u64 found);
void mismatch(const char *how, unsigned int file, size_t index, __u64 want, __u64 found);

bool read_all(int fd, void *buf, size_t len, off_t at);
int open_in_dir(const char *name, int flags);
bool is_device(int fd);
int set_size(int fd, size_t size);
atomic_ullong *map_file(int fd, const char *name, size_t bytes);

unsigned int rnd(struct thread *t, unsigned int n);
void thread_init(struct thread *t, unsigned int id);
void start_threads(void *(*fn)(void *));
void join_threads(void);

FILE *state_create(unsigned int nfiles);
void state_file(FILE *s, const char *name, unsigned int id, size_t size, unsigned int max_gen);
void state_words(FILE *s, const __u64 *content, size_t words);
void state_close(FILE *s);
void state_one(const char *name, unsigned int id, const __u64 *content, size_t size);
void run_verify(void);

void run_mix(void);
void run_nospc(void);
void run_eio(void);
void run_grow(void);
void run_partial(void);
void run_cut(void);
void run_left(void);

#endif /* FS_INTEGRITY_H */
