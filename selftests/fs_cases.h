/* SPDX-License-Identifier: GPL-2.0 */
/* What the scenarios of fs_cases share. */
#ifndef FS_CASES_H
#define FS_CASES_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
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

#define DIRECT_ALIGN	4096U

extern const char *dir, *server_dir, *dm_device;
extern size_t page_size;

/* It failed; go on, the other parts have something to say, too. */
void fail(const char *fmt, ...) __printf(1, 2);
/* No verdict: the environment is broken. */
void die(const char *fmt, ...) __printf(1, 2) __noreturn;
/* The filesystem cannot do it, or has not got it. */
void skip(const char *fmt, ...) __printf(1, 2) __noreturn;

/* -r, or the case's own number. */
unsigned int rounds(unsigned int n);
/* -k: wrong without the series, and not claimed to be mended by it. */
bool known(const char *way);

int open_in_dir(const char *name, int flags);
int new_file(const char *name, size_t size);
/* As new_file(), by an inode without a past: one that held blocks may not get its data inline again. */
int unused_file(const char *name, size_t size);
/* Not on every filesystem: -1. */
int open_direct(const char *name);
char *map_file(int fd, size_t len);
void *buffer(size_t len, int c);
void put(int fd, int c, size_t len, off_t at);
void sync_file(int fd, char *map, size_t len);
/* Drop what is cached of a file that is clean. */
void forget(int fd, char *map, size_t len);
unsigned char byte_at(int fd, off_t at);
/* What file @name must hold after the next mount. */
void want(const char *name, const void *content, size_t len);
/* Where @fd differs from @content, or -1. */
long differs(int fd, const char *content, size_t len);
bool unsupported(int err);
/* Suspends -m, or resumes it. */
int suspend_device(bool on);

/* The end of a child process. */
#define CHILD_LATE	-1	/* not in time, but could be killed */
#define CHILD_STUCK	-2	/* could not be killed */
int in_child(const char *what, int (*fn)(void *arg), void *arg, unsigned int seconds);

/* A second thread, and how to begin at nearly the same time. */
void start_thread(pthread_t *t, void *(*fn)(void *arg), void *arg);
void spin(unsigned int n);

void run_growrace(void);
void run_tail(void);
void run_copy(void);
void run_remote(void);
void run_peer(void);
void run_selfio(void);
void run_direct(void);
void run_sparse(void);
void run_creds(void);
void run_mtime(void);
void run_throttle(void);
void run_holes(void);
void run_dirty(void);
void run_inline(void);
void run_unopened(void);
void run_noroom(void);
void run_lseek(void);
void run_held(void);
void run_beside(void);
void run_unwritten(void);
void run_grown(void);
void run_frozen(void);
void run_stale(void);
void run_clone(void);
void run_shift(void);
void run_small(void);
void run_moved(void);
void run_commit(void);
void run_pinned(void);

#endif /* FS_CASES_H */
