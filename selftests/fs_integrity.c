// SPDX-License-Identifier: GPL-2.0
/*
 * Write to files of a real filesystem through shared mappings, against
 * everything that cleans, cuts, punches, drops or freezes the same pages;
 * then compare every byte, at once and after the next mount.
 *
 * The files are divided into slots of SLOT_WORDS 64-bit words. A slot is not
 * a divisor of a page: slots straddle pages, and every page carries slots of
 * several threads. Each word stored says where it belongs and which write of
 * its slot put it there (see word()), so a wrong word can be explained.
 *
 * In a "kept" file a slot has a lock and a generation. Whoever changes a slot,
 * by a store, a write(), a truncate or a punch, holds its lock and updates the
 * generation, so the expected content is known exactly at any time. The page
 * is not locked: fault, writeback, partial truncate and invalidation of one
 * page race for real. In the "wild" file nothing is coordinated, stores may
 * even get SIGBUS; every word must be zero or one that was stored there, or
 * the bytes of several of those (see torn()), and what the page cache holds in
 * the end must be what the next mount reads.
 *
 * -N (no space), -e (I/O errors), -g (a file that grows), -w (a page written
 * to in part), -c (a page cut off) and -l (left to umount) replace the threads'
 * mix by one scenario each: what was stored without a signal and acknowledged by
 * msync(), fsync() or umount must be there, and what was not acknowledged must
 * have been reported.
 *
 * Exit: 0 all is well, 1 it is not, 2 usage or environment, 4 (KSFT_SKIP) the
 * filesystem cannot do what the run was asked for.
 */
#define _GNU_SOURCE
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
#define SECTOR_SLOTS	64U	/* whole sectors, too */
#define MAX_RUN		8U	/* slots changed by one small operation */
#define KEPT		2U	/* files 0 and 1; the next one is the wild file */
#define FILES		(KEPT + 1U)
#define MAX_THREADS	32U
#define DIRECT_ALIGN	4096U
#define BUF_BYTES	65536U	/* more than any operation but a clone's reads */

struct file {
	unsigned int id;
	bool wild;
	bool device;			/* keeps its size, wants whole sectors */
	int fd;
	int direct;			/* O_DIRECT descriptor, or -1 */
	atomic_ullong *map;
	pthread_rwlock_t dirty_lock;	/* outermost; for dirtying without slot locks */
	pthread_mutex_t size_lock;	/* outside the slot locks */
	atomic_uint size;		/* kept file, in slots: under the locks of all it passes */
	pthread_mutex_t slot_lock[SLOTS];	/* taken in ascending order */
	atomic_uint gen[SLOTS];		/* 0: reads as zero */
};

struct thread {
	pthread_t pthread;
	unsigned int id;
	__u64 rng;
	const char *doing;
	__u64 *buf;			/* BUF_BYTES, aligned for direct I/O */
	unsigned long sigbus, busy;
};

struct op {
	const char *name;
	unsigned int weight;
	void (*fn)(struct op *op, struct thread *t, struct file *f);
	atomic_int unsupported;		/* an errno */
	atomic_ulong done;
};

/* Shared with the process that freezes. */
struct freeze {
	atomic_uint epoch;		/* odd: the filesystem is frozen */
	atomic_bool stop;
	atomic_int error;
};

static struct {
	const char *dir;
	const char *state;
	const char *error_cmd;
	__u64 seed;
	unsigned int seconds;
	unsigned int threads;
	size_t nospc_bytes;
	unsigned int uid;
	bool verify, inject, freeze, late, alone;
} opt = { .seconds = 10, .threads = 8 };

static struct file files[FILES];
static unsigned int nfiles = FILES;
static struct thread threads[MAX_THREADS];
static struct freeze *freeze;
static atomic_bool stop;
static atomic_bool failed;
static unsigned long page_size;
static char *repeat;
static __thread sigjmp_buf *bus_jmp;
static __thread struct thread *self;

static void fail(const char *fmt, ...) __printf(1, 2);
static void die(const char *fmt, ...) __printf(1, 2) __noreturn;

static void fail(const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	/* The first failure explains, those it causes would hide it. */
	if (!atomic_exchange(&failed, true)) {
		ksft_print_msg("FAIL: %s%s%s\n", msg, self ? ", in " : "",
			       self ? self->doing : "");
		ksft_print_msg("repeat: %s\n", repeat);
	}
	atomic_store(&stop, true);
}

static void die(const char *fmt, ...)
{
	va_list ap;
	int err = errno;

	fprintf(stderr, "fs_integrity: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (%s)\n", strerror(err));
	exit(2);
}

static __u64 mix(__u64 x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static __u64 place(unsigned int file, size_t index)
{
	return mix(opt.seed ^ ((__u64)file << 56) ^ index);
}

/* What write number @gen leaves in word @index of @file. */
static __u64 word(unsigned int file, size_t index, unsigned int gen)
{
	return gen ? place(file, index) ^ gen : 0;
}

/* The generation of a word found at @index, or -1 if it does not belong there. */
static __s64 gen_of(unsigned int file, size_t index, __u64 found)
{
	__u64 gen = found ^ place(file, index);

	if (!found)
		return 0;
	return gen <= UINT32_MAX ? (__s64)gen : -1;
}

/*
 * The kernel may copy and clear a page byte by byte, as x86's "rep movsb"
 * does under emulation. Where nothing is coordinated, a word is then made of
 * the bytes of several of its generations, all of them up to @max, and zero.
 */
static bool torn(unsigned int file, size_t index, __u64 found, unsigned int max)
{
	__u64 diff = found ^ place(file, index);
	unsigned int shift;

	for (shift = 0; shift < 64; shift += 8)
		if ((found >> shift & 0xff) &&
		    (diff >> shift & 0xff) > (shift < 32 ? max >> shift : 0))
			return false;
	return true;
}

/* Say in words what stands at a place. */
static void describe(char *buf, size_t len, unsigned int file, size_t index, __u64 found)
{
	__s64 gen = gen_of(file, index, found);
	unsigned int f;
	size_t i;

	if (gen >= 0) {
		snprintf(buf, len, gen ? "generation %lld" : "zero", gen);
		return;
	}
	for (f = 0; f < FILES; f++) {
		for (i = 0; i < FILE_WORDS; i++) {
			gen = gen_of(f, i, found);
			if (gen < 0)
				continue;
			snprintf(buf, len, "generation %lld of file %u offset %zu",
				 gen, f, i * 8);
			return;
		}
	}
	snprintf(buf, len, "%#llx, never written", found);
}

static void mismatch(const char *how, unsigned int file, size_t index, __u64 want,
		     __u64 found)
{
	char w[80], g[80];

	describe(w, sizeof(w), file, index, want);
	describe(g, sizeof(g), file, index, found);
	fail("%s: file %u offset %zu (page %zu byte %zu, slot %zu): expected %s, found %s",
	     how, file, index * 8, index * 8 / page_size, index * 8 % page_size,
	     index / SLOT_WORDS, w, g);
}

static bool read_all(int fd, void *buf, size_t len, off_t at)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, at + (off_t)done);

		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

static unsigned int rnd(struct thread *t, unsigned int n)
{
	t->rng = mix(t->rng);
	return (t->rng >> 32) % n;
}

static void sigbus(int sig, siginfo_t *info, void *ctx)
{
	if (bus_jmp)
		siglongjmp(*bus_jmp, 1);
	/* Nobody expects it here: a mapped page below i_size with space to spare. */
	fail("SIGBUS at %p", info->si_addr);
	_exit(1);
}

static void watchdog(int sig)
{
	unsigned int i;

	for (i = 0; i < opt.threads; i++)
		ksft_print_msg("thread %u: %s\n", i, threads[i].doing);
	fail("not finished in time");
	_exit(1);
}

/*
 * Freezing. A process of its own does it: a write fault that waits for the
 * thaw holds mmap_lock, and the one who thaws must never need it.
 */
static void freeze_loop(void)
{
	int fd = open(opt.dir, O_RDONLY | O_DIRECTORY);

	while (!atomic_load(&freeze->stop) && getppid() != 1) {
		usleep(30000);
		if (fd < 0 || ioctl(fd, FIFREEZE, 0)) {
			/* f2fs: something was dirty again after the sync. */
			if (errno == EINVAL)
				continue;
			atomic_store(&freeze->error, errno);
			break;
		}
		atomic_fetch_add(&freeze->epoch, 1);
		usleep(20000);
		atomic_fetch_add(&freeze->epoch, 1);
		if (ioctl(fd, FITHAW, 0)) {
			atomic_store(&freeze->error, errno);
			break;
		}
	}
	_exit(0);
}

static unsigned int freeze_epoch(void)
{
	return opt.freeze ? atomic_load(&freeze->epoch) : 0;
}

/* The caller changed the filesystem; it was at @before when it began. */
static void check_frozen(unsigned int before)
{
	if ((before & 1) && freeze_epoch() == before)
		fail("a change was completed while the filesystem was frozen");
}

/* Slots. */

static void lock_slots(struct file *f, unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++)
		pthread_mutex_lock(&f->slot_lock[i]);
}

static void unlock_slots(struct file *f, unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++)
		pthread_mutex_unlock(&f->slot_lock[i]);
}

/*
 * Pick a few slots below the end of the file and lock them (a wild file has
 * no locks). Half of the time they are where everybody else's are.
 *
 * Return: how many slots, 0 if the file ends before them (nothing is locked).
 */
static unsigned int pick(struct thread *t, struct file *f, unsigned int max_run,
			 unsigned int *first)
{
	static atomic_uint beat;
	unsigned int run = 1 + rnd(t, max_run);
	unsigned int hot = atomic_fetch_add(&beat, 1) / 256;

	if (rnd(t, 2))
		*first = (mix(opt.seed ^ hot) % SLOTS + rnd(t, 24)) % SLOTS;
	else
		*first = rnd(t, SLOTS);
	if (run > SLOTS - *first)
		run = SLOTS - *first;
	if (f->wild)
		return run;
	lock_slots(f, *first, run);
	if (*first + run <= atomic_load(&f->size))
		return run;
	unlock_slots(f, *first, run);
	return 0;
}

static void put(struct file *f, unsigned int first, unsigned int run)
{
	if (!f->wild)
		unlock_slots(f, first, run);
}

/* Nobody else changes anything of a kept file; writeback and reclaim go on. */
static void hold_file(struct file *f)
{
	pthread_rwlock_wrlock(&f->dirty_lock);
	lock_slots(f, 0, SLOTS);
}

static void release_file(struct file *f)
{
	unlock_slots(f, 0, SLOTS);
	pthread_rwlock_unlock(&f->dirty_lock);
}

static void set_gen(struct file *f, unsigned int first, unsigned int run, bool zero)
{
	unsigned int i;

	for (i = first; i < first + run; i++) {
		if (!zero)
			atomic_fetch_add(&f->gen[i], 1);
		else if (!f->wild)
			atomic_store(&f->gen[i], 0);
	}
}

/* @n words were read from word @first on. */
static void check(const char *how, struct file *f, const __u64 *buf, size_t first, size_t n)
{
	size_t w;

	for (w = first; w < first + n; w++) {
		unsigned int gen = atomic_load(&f->gen[w / SLOT_WORDS]);
		__u64 found = buf[w - first];

		if (f->wild) {
			if (torn(f->id, w, found, gen))
				continue;
		} else if (found == word(f->id, w, gen)) {
			continue;
		}
		mismatch(how, f->id, w, word(f->id, w, gen), found);
		return;
	}
}

/* Operations. */

static void op_store(struct op *op, struct thread *t, struct file *f)
{
	unsigned int first, run = pick(t, f, MAX_RUN, &first);
	sigjmp_buf jmp;
	size_t w, begin;

	if (!run)
		return;
	set_gen(f, first, run, false);
	begin = (size_t)first * SLOT_WORDS;
	if (f->wild) {
		if (sigsetjmp(jmp, 1)) {
			bus_jmp = NULL;
			t->sigbus++;
			return;
		}
		bus_jmp = &jmp;
	}
	for (w = begin; w < begin + (size_t)run * SLOT_WORDS; w++) {
		unsigned int gen = atomic_load(&f->gen[w / SLOT_WORDS]);
		unsigned int epoch = freeze_epoch();

		atomic_store_explicit(&f->map[w], word(f->id, w, gen), memory_order_relaxed);
		check_frozen(epoch);
	}
	bus_jmp = NULL;
	put(f, first, run);
}

static void op_read(struct op *op, struct thread *t, struct file *f)
{
	unsigned int first, run = pick(t, f, MAX_RUN, &first);
	size_t w, begin;
	sigjmp_buf jmp;

	if (!run)
		return;
	begin = (size_t)first * SLOT_WORDS;
	if (f->wild) {
		if (sigsetjmp(jmp, 1)) {
			bus_jmp = NULL;
			t->sigbus++;
			return;
		}
		bus_jmp = &jmp;
	}
	for (w = 0; w < (size_t)run * SLOT_WORDS; w++)
		t->buf[w] = atomic_load_explicit(&f->map[begin + w], memory_order_relaxed);
	bus_jmp = NULL;
	check("load", f, t->buf, begin, run * SLOT_WORDS);
	put(f, first, run);
}

static void op_pread(struct op *op, struct thread *t, struct file *f)
{
	unsigned int first, run = pick(t, f, MAX_RUN, &first);
	ssize_t n;
	bool busy;

	if (!run)
		return;
	/*
	 * The NFS of 6.12.117 drops the cache before a read if the server's file may
	 * have changed, and gives up on a page that was written back meanwhile but
	 * is not committed: no answer, but no wrong one.
	 */
	do {
		n = pread(f->fd, t->buf, run * SLOT_BYTES, (off_t)first * SLOT_BYTES);
		busy = n < 0 && errno == EBUSY && opt.alone;
		t->busy += busy;
	} while (busy && !atomic_load(&stop));
	if (!busy && (n < 0 || (!f->wild && n != (ssize_t)(run * SLOT_BYTES))))
		fail("pread: %zd, %s", n, strerror(errno));
	else if (!busy)
		check("read", f, t->buf, (size_t)first * SLOT_WORDS, (size_t)n / 8);
	put(f, first, run);
}

/* The content that words @first to @first + @n must have. */
static void fill(struct file *f, __u64 *buf, size_t first, size_t n)
{
	size_t w;

	for (w = first; w < first + n; w++)
		buf[w - first] = word(f->id, w, atomic_load(&f->gen[w / SLOT_WORDS]));
}

static void op_pwrite(struct op *op, struct thread *t, struct file *f)
{
	unsigned int first, run = pick(t, f, MAX_RUN, &first);
	unsigned int epoch = freeze_epoch();
	size_t begin, end;
	ssize_t n;

	if (!run)
		return;
	begin = (size_t)first * SLOT_BYTES;
	end = begin + run * SLOT_BYTES;
	if (f->wild) {
		/* It may extend the file: by whole pages. */
		begin -= begin % page_size;
		end += page_size - 1;
		end -= end % page_size;
		first = begin / SLOT_BYTES;
		run = (end + SLOT_BYTES - 1) / SLOT_BYTES - first;
	}
	set_gen(f, first, run, false);
	fill(f, t->buf, begin / 8, (end - begin) / 8);
	n = pwrite(f->fd, t->buf, end - begin, (off_t)begin);
	if (n != (ssize_t)(end - begin))
		fail("pwrite: %zd, %s", n, strerror(errno));
	check_frozen(epoch);
	put(f, first, run);
}

/*
 * Direct I/O beside stores to the same folio is undefined, and a folio may be
 * large: the whole file is held. Writeback and reclaim are not.
 */
static void op_direct(struct op *op, struct thread *t, struct file *f)
{
	unsigned int size, first, last, i, epoch;
	size_t begin, end;
	ssize_t n;

	if (f->wild)
		return;
	if (f->direct < 0) {
		atomic_store(&op->unsupported, EINVAL);
		return;
	}
	hold_file(f);
	size = atomic_load(&f->size);
	begin = (size_t)rnd(t, SLOTS) * SLOT_BYTES / DIRECT_ALIGN * DIRECT_ALIGN;
	end = begin + (1 + rnd(t, 8)) * DIRECT_ALIGN;
	if (end > (size_t)size * SLOT_BYTES)
		goto out;
	/* Slots that stick out of the range keep their content. */
	first = (begin + SLOT_BYTES - 1) / SLOT_BYTES;
	last = end / SLOT_BYTES;
	for (i = first; i < last; i++)
		atomic_fetch_add(&f->gen[i], 1);
	fill(f, t->buf, begin / 8, (end - begin) / 8);
	epoch = freeze_epoch();
	n = pwrite(f->direct, t->buf, end - begin, (off_t)begin);
	if (n != (ssize_t)(end - begin))
		fail("direct pwrite: %zd, %s", n, strerror(errno));
	check_frozen(epoch);
out:
	release_file(f);
}

/*
 * The wild file ends with a page: what is stored behind the end, but in its
 * page, may be lost or not, and nobody would know.
 */
static void truncate_wild(struct thread *t, struct file *f)
{
	off_t size = (off_t)(1 + rnd(t, FILE_BYTES / page_size)) * page_size;

	if (ftruncate(f->fd, size))
		fail("truncate to %jd: %s", (intmax_t)size, strerror(errno));
}

static void op_truncate(struct op *op, struct thread *t, struct file *f)
{
	unsigned int old, new, first, n, epoch;
	int ret;

	if (f->device) {
		atomic_store(&op->unsupported, EINVAL);
		return;
	}
	if (f->wild) {
		truncate_wild(t, f);
		return;
	}
	if (opt.alone)
		pthread_rwlock_wrlock(&f->dirty_lock);
	pthread_mutex_lock(&f->size_lock);
	old = atomic_load(&f->size);
	/* Mostly large, or there is little to do for the others. */
	new = rnd(t, 4) ? SLOTS - rnd(t, SLOTS / 8) : 1 + rnd(t, SLOTS);
	first = new < old ? new : old;
	n = (new < old ? old : new) - first;
	if (opt.alone) {
		first = 0;
		n = SLOTS;
	}
	lock_slots(f, first, n);
	if (opt.alone)
		madvise((void *)f->map, FILE_BYTES, MADV_DONTNEED);
	epoch = freeze_epoch();
	ret = new > old && rnd(t, 3) == 0 ?
		fallocate(f->fd, 0, 0, (off_t)new * SLOT_BYTES) : -1;
	if (ret)
		ret = ftruncate(f->fd, (off_t)new * SLOT_BYTES);
	if (ret)
		fail("truncate to %u: %s", new * SLOT_BYTES, strerror(errno));
	check_frozen(epoch);
	if (new < old)
		set_gen(f, new, old - new, true);
	atomic_store(&f->size, new);
	unlock_slots(f, first, n);
	pthread_mutex_unlock(&f->size_lock);
	if (opt.alone)
		pthread_rwlock_unlock(&f->dirty_lock);
}

static void do_fallocate(struct op *op, struct thread *t, struct file *f, int mode,
			 unsigned int max_run)
{
	unsigned int first, run, epoch;

	if (opt.alone) {
		hold_file(f);
		run = 1 + rnd(t, max_run);
		first = rnd(t, SLOTS - run);
		if (first + run > atomic_load(&f->size)) {
			release_file(f);
			return;
		}
	} else if (f->device) {
		run = SECTOR_SLOTS;
		first = rnd(t, SLOTS / run) * run;
		if (!f->wild)
			lock_slots(f, first, run);
	} else {
		run = pick(t, f, max_run, &first);
		if (!run)
			return;
	}
	epoch = freeze_epoch();
	if (!fallocate(f->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)first * SLOT_BYTES,
		       (off_t)run * SLOT_BYTES)) {
		if (mode)
			set_gen(f, first, run, true);
		check_frozen(epoch);
	} else if (errno == EOPNOTSUPP) {
		atomic_store(&op->unsupported, errno);
	} else {
		fail("fallocate mode %d: %s", mode, strerror(errno));
	}
	if (opt.alone)
		release_file(f);
	else
		put(f, first, run);
}

static void op_punch(struct op *op, struct thread *t, struct file *f)
{
	do_fallocate(op, t, f, FALLOC_FL_PUNCH_HOLE, 32);
}

static void op_zero(struct op *op, struct thread *t, struct file *f)
{
	do_fallocate(op, t, f, FALLOC_FL_ZERO_RANGE, 32);
}

static void op_allocate(struct op *op, struct thread *t, struct file *f)
{
	do_fallocate(op, t, f, 0, 32);
}

/* A clone is what the file was, whatever is stored to the file afterwards. */
static void op_clone(struct op *op, struct thread *t, struct file *f)
{
	unsigned int gen[SLOTS];
	unsigned int size, i;
	char path[PATH_MAX];
	size_t w = 0, end = 0;
	int fd;

	if (f->wild)
		return;
	snprintf(path, sizeof(path), "%s/clone.%u", opt.dir, t->id);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0) {
		fail("%s: %s", path, strerror(errno));
		return;
	}
	pthread_mutex_lock(&f->size_lock);
	size = atomic_load(&f->size);
	lock_slots(f, 0, size);
	if (!ioctl(fd, FICLONE, f->fd)) {
		for (i = 0; i < size; i++)
			gen[i] = atomic_load(&f->gen[i]);
		end = (size_t)size * SLOT_WORDS;
	} else if (errno == EOPNOTSUPP || errno == EXDEV || errno == EINVAL || errno == ENOTTY) {
		atomic_store(&op->unsupported, errno);
	} else {
		fail("clone: %s", strerror(errno));
	}
	unlock_slots(f, 0, size);
	pthread_mutex_unlock(&f->size_lock);

	while (w < end) {
		size_t len = end - w < BUF_BYTES / 8 ? end - w : BUF_BYTES / 8;

		if (!read_all(fd, t->buf, len * 8, (off_t)w * 8)) {
			fail("read of a clone: %s", strerror(errno));
			break;
		}
		for (i = 0; i < len; i++, w++) {
			__u64 want = word(f->id, w, gen[w / SLOT_WORDS]);

			if (t->buf[i] != want) {
				mismatch("clone", f->id, w, want, t->buf[i]);
				w = end;
				break;
			}
		}
	}
	close(fd);
	unlink(path);
}

static void op_fsync(struct op *op, struct thread *t, struct file *f)
{
	if (rnd(t, 2) ? fsync(f->fd) : fdatasync(f->fd))
		fail("fsync: %s", strerror(errno));
}

/* A range of the mapping, in whole pages, anywhere. */
static void *map_range(struct thread *t, struct file *f, size_t *len)
{
	size_t page = rnd(t, FILE_BYTES / page_size);

	*len = (1 + rnd(t, 64)) * page_size;
	if (page * page_size + *len > FILE_BYTES)
		*len = page_size;
	return (char *)f->map + page * page_size;
}

static void op_msync(struct op *op, struct thread *t, struct file *f)
{
	size_t len;
	void *addr = map_range(t, f, &len);

	if (msync(addr, len, MS_SYNC))
		fail("msync: %s", strerror(errno));
}

static void op_writeback(struct op *op, struct thread *t, struct file *f)
{
	sync_file_range(f->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void do_madvise(struct op *op, struct thread *t, struct file *f, int advice)
{
	size_t len;
	void *addr = map_range(t, f, &len);

	/* Populating meets the end of the file now and then. */
	if (madvise(addr, len, advice) && errno == EINVAL)
		atomic_store(&op->unsupported, errno);
}

static void op_unmap(struct op *op, struct thread *t, struct file *f)
{
	do_madvise(op, t, f, MADV_DONTNEED);
}

/* A write fault without a slot's lock: against truncate and punch of the same page. */
static void op_populate(struct op *op, struct thread *t, struct file *f)
{
	pthread_rwlock_rdlock(&f->dirty_lock);
	do_madvise(op, t, f, MADV_POPULATE_WRITE);
	pthread_rwlock_unlock(&f->dirty_lock);
}

static void op_pageout(struct op *op, struct thread *t, struct file *f)
{
	do_madvise(op, t, f, MADV_PAGEOUT);
}

static void op_forget(struct op *op, struct thread *t, struct file *f)
{
	size_t len;
	void *addr = map_range(t, f, &len);

	/* Mapped pages stay in the cache. */
	madvise(addr, len, MADV_DONTNEED);
	posix_fadvise(f->fd, (char *)addr - (char *)f->map, len, POSIX_FADV_DONTNEED);
}

static void op_drop_caches(struct op *op, struct thread *t, struct file *f)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0) {
		atomic_store(&op->unsupported, errno);
		return;
	}
	madvise((void *)f->map, FILE_BYTES, MADV_DONTNEED);
	if (write(fd, "1", 1) != 1)
		fail("drop_caches: %s", strerror(errno));
	close(fd);
}

static struct op ops[] = {
	{ "store",	400, op_store },
	{ "read",	60, op_read },
	{ "pread",	30, op_pread },
	{ "pwrite",	30, op_pwrite },
	{ "direct",	4, op_direct },
	{ "truncate",	12, op_truncate },
	{ "punch",	16, op_punch },
	{ "zero",	8, op_zero },
	{ "allocate",	6, op_allocate },
	{ "clone",	2, op_clone },
	{ "fsync",	6, op_fsync },
	{ "msync",	12, op_msync },
	{ "writeback",	24, op_writeback },
	{ "unmap",	12, op_unmap },
	{ "populate",	24, op_populate },
	{ "pageout",	8, op_pageout },
	{ "forget",	8, op_forget },
	{ "drop_caches", 1, op_drop_caches },
};

static void thread_init(struct thread *t, unsigned int id)
{
	t->id = id;
	t->rng = mix(opt.seed + id);
	t->doing = "start";
	if (posix_memalign((void **)&t->buf, DIRECT_ALIGN, BUF_BYTES))
		die("memory");
}

static void *mix_thread(void *arg)
{
	unsigned int i, total = 0;

	self = arg;
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	while (!atomic_load(&stop)) {
		unsigned int n = rnd(self, total);
		struct file *f = &files[rnd(self, nfiles)];

		for (i = 0; n >= ops[i].weight; i++)
			n -= ops[i].weight;
		if (atomic_load(&ops[i].unsupported))
			continue;
		self->doing = ops[i].name;
		ops[i].fn(&ops[i], self, f);
		atomic_fetch_add(&ops[i].done, 1);
	}
	self->doing = "done";
	return NULL;
}

/*
 * The state file: one header, then for each file a record and its words. It
 * must lie on another filesystem.
 */
struct state_header {
	char magic[8];
	__u64 seed;
	__u64 files;
};

struct state_file {
	char name[32];
	__u64 id;
	__u64 size;
	/* Not acknowledged: newer generations up to this one are right, too. */
	__u64 max_gen;
};

static const char magic[8] = "mkwrite2";

static FILE *state_create(unsigned int nfiles)
{
	struct state_header h = { .seed = opt.seed, .files = nfiles };
	FILE *s = fopen(opt.state, "w");

	memcpy(h.magic, magic, sizeof(magic));
	if (!s || fwrite(&h, sizeof(h), 1, s) != 1)
		die("%s", opt.state);
	return s;
}

static void state_file(FILE *s, const char *name, unsigned int id, size_t size,
		       unsigned int max_gen)
{
	struct state_file r = { .id = id, .size = size, .max_gen = max_gen };

	snprintf(r.name, sizeof(r.name), "%s", name);
	if (fwrite(&r, sizeof(r), 1, s) != 1)
		die("%s", opt.state);
}

static void state_words(FILE *s, const __u64 *content, size_t words)
{
	if (fwrite(content, sizeof(*content), words, s) != words)
		die("%s", opt.state);
}

static void state_close(FILE *s)
{
	if (fclose(s))
		die("%s", opt.state);
}

/* All that the scenario leaves: one file, acknowledged. */
static void state_one(const char *name, unsigned int id, const __u64 *content, size_t size)
{
	FILE *s = state_create(1);

	state_file(s, name, id, size, 0);
	state_words(s, content, size / 8);
	state_close(s);
}

static int open_in_dir(const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", opt.dir, name);
	return open(path, flags, 0600);
}

static bool is_device(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISBLK(st.st_mode);
}

/* A device keeps its size. */
static int set_size(int fd, size_t size)
{
	return is_device(fd) ? 0 : ftruncate(fd, size);
}

/* Map @fd, which is file @name, shared and writable. */
static atomic_ullong *map_file(int fd, const char *name, size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die("mmap of %s/%s", opt.dir, name);
	return map;
}

/* Change one byte of @fd, to see that it is noticed. */
static void inject(int fd, size_t size)
{
	off_t at = (off_t)(mix(opt.seed) % size);
	unsigned char c;

	if (!read_all(fd, &c, 1, at))
		die("read");
	c ^= 1;
	if (pwrite(fd, &c, 1, at) != 1 || fsync(fd))
		die("the injected error could not be written");
}

/* -v: compare every byte with the recorded state. */
static void verify_file(const struct state_file *r, const __u64 *want)
{
	int fd = open_in_dir(r->name, opt.inject ? O_RDWR : O_RDONLY);
	__u64 *found = calloc(1, r->size + 8);
	off_t size = lseek(fd, 0, SEEK_END);
	size_t w;

	if (size < 0 || !found) {
		fail("%s: %s", r->name, strerror(errno));
		goto out;
	}
	if ((__u64)size != r->size) {
		fail("%s: size %jd, expected %llu", r->name, (intmax_t)size, r->size);
		goto out;
	}
	if (opt.inject && r->size) {
		inject(fd, r->size);
		opt.inject = false;
	}
	if (!read_all(fd, found, r->size, 0)) {
		fail("%s: read: %s", r->name, strerror(errno));
		goto out;
	}
	for (w = 0; w < r->size / 8; w++) {
		__s64 g = gen_of(r->id, w, found[w]);

		if (found[w] == want[w] || (r->max_gen && g > gen_of(r->id, w, want[w]) &&
					    g <= (__s64)r->max_gen))
			continue;
		mismatch("after the mount", r->id, w, want[w], found[w]);
		break;
	}
out:
	free(found);
	if (fd >= 0)
		close(fd);
}

static void run_verify(void)
{
	FILE *s = fopen(opt.state, "r");
	struct state_header h;
	struct state_file r;
	__u64 bytes = 0;
	__u64 i;

	if (!s || fread(&h, sizeof(h), 1, s) != 1 || memcmp(h.magic, magic, sizeof(magic)))
		die("%s: no recorded state", opt.state);
	opt.seed = h.seed;
	for (i = 0; i < h.files; i++) {
		__u64 *want;

		if (fread(&r, sizeof(r), 1, s) != 1)
			die("%s: cut short", opt.state);
		want = calloc(r.size / 8 + 1, sizeof(*want));
		if (!want || fread(want, sizeof(*want), r.size / 8, s) != r.size / 8)
			die("%s: cut short", opt.state);
		verify_file(&r, want);
		bytes += r.size;
		free(want);
	}
	fclose(s);
	ksft_print_msg("verify: seed %llu, %llu files, %llu bytes: %s\n", h.seed, h.files,
		       bytes, atomic_load(&failed) ? "they differ" : "as recorded");
}

static void start_threads(void *(*fn)(void *))
{
	unsigned int i;

	for (i = 0; i < opt.threads; i++) {
		thread_init(&threads[i], i);
		if (pthread_create(&threads[i].pthread, NULL, fn, &threads[i]))
			die("pthread_create");
	}
}

static void join_threads(void)
{
	unsigned int i;

	for (i = 0; i < opt.threads; i++)
		pthread_join(threads[i].pthread, NULL);
}

static void file_init(struct file *f, unsigned int id)
{
	char name[32];
	unsigned int i;

	f->id = id;
	f->wild = id >= KEPT;
	snprintf(name, sizeof(name), "file.%u", id);
	f->fd = open_in_dir(name, O_RDWR | O_CREAT | O_TRUNC);
	if (f->fd < 0 || set_size(f->fd, FILE_BYTES))
		die("%s/%s", opt.dir, name);
	f->device = is_device(f->fd);
	f->direct = open_in_dir(name, O_RDWR | O_DIRECT);
	f->map = map_file(f->fd, name, FILE_BYTES);
	pthread_rwlock_init(&f->dirty_lock, NULL);
	pthread_mutex_init(&f->size_lock, NULL);
	for (i = 0; i < SLOTS; i++)
		pthread_mutex_init(&f->slot_lock[i], NULL);
	atomic_store(&f->size, SLOTS);
}

static void report_ops(void)
{
	char did[512] = "", not[512] = "";
	unsigned long bus = 0, busy = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		int err = atomic_load(&ops[i].unsupported);

		if (err)
			sprintf(not + strlen(not), " %s (%s)", ops[i].name, strerror(err));
		else
			sprintf(did + strlen(did), " %s %lu", ops[i].name,
				atomic_load(&ops[i].done));
	}
	for (i = 0; i < opt.threads; i++) {
		bus += threads[i].sigbus;
		busy += threads[i].busy;
	}
	ksft_print_msg("done:%s; SIGBUS %lu, EBUSY %lu\n", did, bus, busy);
	if (*not)
		ksft_print_msg("not supported here:%s\n", not);
}

/* After the threads have exited, records what the next mount has to show. */
static void record(FILE *s, struct file *f)
{
	size_t w, first, n, size = (size_t)atomic_load(&f->size) * SLOT_BYTES;
	static __u64 content[BUF_BYTES / 8];
	off_t end = lseek(f->fd, 0, SEEK_END);
	char name[32];

	/* One file acknowledged, the others left to umount. */
	if (f->id == 0 && fsync(f->fd))
		fail("fsync: %s", strerror(errno));
	snprintf(name, sizeof(name), "file.%u", f->id);
	if (end < 0)
		die("%s", name);
	if (f->wild)
		size = end;
	if (end != (off_t)size)
		fail("%s: size %jd, expected %zu", name, (intmax_t)end, size);
	state_file(s, name, f->id, size, 0);
	for (first = 0; first < size / 8; first += n) {
		n = size / 8 - first;
		if (n > BUF_BYTES / 8)
			n = BUF_BYTES / 8;
		if (!read_all(f->fd, content, n * 8, (off_t)first * 8))
			fail("%s: read: %s", name, strerror(errno));
		check("in the end", f, content, first, n);
		for (w = 0; w < n; w++)
			/* A page that is mapped but cut off from the file would show here. */
			if (f->map[first + w] != content[w])
				mismatch("mapping and file differ", f->id, first + w, content[w],
					 f->map[first + w]);
		state_words(s, content, n);
	}
}

static void run_mix(void)
{
	unsigned int i, left = opt.seconds * 10;
	pid_t freezer = 0;
	FILE *s;

	for (i = 0; i < nfiles; i++)
		file_init(&files[i], i);
	if (opt.freeze) {
		freezer = fork();
		if (!freezer)
			freeze_loop();
	}
	start_threads(mix_thread);
	while (left-- && !atomic_load(&stop) && !atomic_load(&freeze->error))
		usleep(100000);
	atomic_store(&freeze->stop, true);
	if (freezer > 0)
		waitpid(freezer, NULL, 0);
	atomic_store(&stop, true);
	join_threads();

	if (opt.freeze) {
		int err = atomic_load(&freeze->error);

		if (err == EOPNOTSUPP || err == ENOTTY) {
			ksft_print_msg("this filesystem cannot be frozen\n");
			exit(KSFT_SKIP);
		}
		if (err)
			fail("freeze: %s", strerror(err));
		ksft_print_msg("frozen %u times\n", atomic_load(&freeze->epoch) / 2);
		if (!atomic_load(&freeze->epoch))
			fail("not frozen once");
	}
	s = state_create(nfiles);
	for (i = 0; i < nfiles; i++)
		record(s, &files[i]);
	state_close(s);
	report_ops();
	if (!failed && !atomic_load(&ops[0].done))
		fail("nothing was stored");
}

/*
 * -N: more holes than blocks. Thread n stores to pages n, n + threads, ...,
 * one more thread syncs. The shadow is written after each store, so it holds
 * exactly what was stored, whenever the signal came.
 */
static struct {
	atomic_ullong *map;
	atomic_ullong *shadow;
	int fd;
	atomic_ulong stored, refused;
	atomic_int sync_error;
} nospc;

#define NOSPC_ID	7U
#define NOSPC_PASSES	3U

static void store_page(struct thread *t, size_t page, unsigned int gen)
{
	size_t w, begin = page * page_size / 8;
	sigjmp_buf jmp;

	if (sigsetjmp(jmp, 1)) {
		bus_jmp = NULL;
		atomic_fetch_add(&nospc.refused, 1);
		return;
	}
	bus_jmp = &jmp;
	for (w = begin; w < begin + page_size / 8; w++) {
		atomic_store(&nospc.map[w], word(NOSPC_ID, w, gen));
		atomic_store(&nospc.shadow[w], word(NOSPC_ID, w, gen));
	}
	bus_jmp = NULL;
	atomic_fetch_add(&nospc.stored, 1);
}

static void *nospc_thread(void *arg)
{
	size_t page, pages = opt.nospc_bytes / page_size;
	unsigned int gen;

	self = arg;
	self->doing = "store without space";
	for (gen = 1; gen <= NOSPC_PASSES; gen++)
		for (page = self->id; page < pages; page += opt.threads)
			store_page(self, page, gen);
	return NULL;
}

static void *nospc_sync(void *arg)
{
	int fd = open_in_dir("nospc", O_RDWR);

	while (!atomic_load(&stop)) {
		usleep(30000);
		if (fsync(fd) && !atomic_load(&nospc.sync_error))
			atomic_store(&nospc.sync_error, errno);
	}
	close(fd);
	return NULL;
}

static void run_nospc(void)
{
	size_t bytes = opt.nospc_bytes;
	pthread_t sync_thread;
	int err, ret;
	FILE *s;

	s = state_create(1);
	nospc.fd = open_in_dir("nospc", O_RDWR | O_CREAT | O_TRUNC);
	if (nospc.fd < 0 || ftruncate(nospc.fd, bytes) || fsync(nospc.fd))
		die("%s/nospc", opt.dir);
	if (opt.uid && (fchown(nospc.fd, opt.uid, -1) || setuid(opt.uid)))
		die("uid %u", opt.uid);
	nospc.map = map_file(nospc.fd, "nospc", bytes);
	nospc.shadow = calloc(bytes / 8, sizeof(*nospc.shadow));
	if (!nospc.shadow)
		die("memory");
	if (pthread_create(&sync_thread, NULL, nospc_sync, NULL))
		die("pthread_create");
	start_threads(nospc_thread);
	join_threads();
	atomic_store(&stop, true);
	pthread_join(sync_thread, NULL);

	err = atomic_load(&nospc.sync_error);
	ret = msync((void *)nospc.map, bytes, MS_SYNC);
	if (ret)
		err = errno;
	if (fsync(nospc.fd))
		err = errno;
	ksft_print_msg("%zu pages, stored %lu, SIGBUS %lu, msync and fsync: %s\n",
		       bytes / page_size, atomic_load(&nospc.stored),
		       atomic_load(&nospc.refused), err ? strerror(err) : "fine");
	if (err && !opt.late)
		fail("pages were stored without a signal, but msync or fsync: %s",
		     strerror(err));
	if (!err && !atomic_load(&nospc.refused))
		fail("no SIGBUS and no error: there was space for all of it");
	if (!atomic_load(&nospc.stored))
		fail("nothing could be stored");
	if (err)	/* reported: nothing was acknowledged */
		memset((void *)nospc.shadow, 0, bytes / 8 * sizeof(*nospc.shadow));
	state_file(s, "nospc", NOSPC_ID, bytes, err ? NOSPC_PASSES : 0);
	state_words(s, (void *)nospc.shadow, bytes / 8);
	state_close(s);
}

/*
 * -e: generation 1 is acknowledged, then the command given makes the device
 * fail, then generation 2 is stored: to blocks that exist, to holes, and not
 * at all.
 */
#define EIO_PAGES	64U

static size_t eio_store(atomic_ullong *map, unsigned int id, size_t first, size_t n,
			unsigned int gen)
{
	sigjmp_buf jmp;
	atomic_size_t page = first;	/* survives the jump */
	size_t w;

	if (sigsetjmp(jmp, 1)) {
		bus_jmp = NULL;
		return page - first;
	}
	bus_jmp = &jmp;
	for (; page < first + n; page++)
		for (w = page * page_size / 8; w < (page + 1) * page_size / 8; w++)
			atomic_store(&map[w], word(id, w, gen));
	bus_jmp = NULL;
	return n;
}

static void run_eio(void)
{
	static const char * const names[] = { "overwritten", "holes", "untouched" };
	atomic_ullong *map[3];
	size_t w, bytes = EIO_PAGES * page_size;
	__u64 *want = calloc(bytes / 8, sizeof(*want));
	unsigned int i, err;
	int fd[3];
	FILE *s;

	if (!want)
		die("memory");
	for (i = 0; i < 3; i++) {
		fd[i] = open_in_dir(names[i], O_RDWR | O_CREAT | O_TRUNC);
		if (fd[i] < 0 || set_size(fd[i], bytes))
			die("%s/%s", opt.dir, names[i]);
		map[i] = map_file(fd[i], names[i], bytes);
		if (i != 1 && eio_store(map[i], i, 0, EIO_PAGES, 1) != EIO_PAGES)
			fail("%s: SIGBUS on a healthy device", names[i]);
		if (msync((void *)map[i], bytes, MS_SYNC) || fsync(fd[i]))
			fail("%s: %s on a healthy device", names[i], strerror(errno));
	}
	sync();
	if (system(opt.error_cmd))
		die("%s: failed", opt.error_cmd);
	for (i = 0; i < 2; i++) {
		size_t stored = eio_store(map[i], i, 0, EIO_PAGES, 2);

		err = msync((void *)map[i], bytes, MS_SYNC) ? errno : 0;
		if (fsync(fd[i]) && !err)
			err = errno;
		ksft_print_msg("%s: %zu of %u pages stored, then msync and fsync: %s\n",
			       names[i], stored, EIO_PAGES, err ? strerror(err) : "fine");
		if (!err && stored)
			fail("%s: acknowledged by a device that fails all writes", names[i]);
	}
	s = state_create(3);
	for (i = 0; i < 3; i++) {
		for (w = 0; w < bytes / 8; w++)
			want[w] = word(i, w, i == 1 ? 0 : 1);
		state_file(s, names[i], i, bytes, i == 2 ? 0 : 2);
		state_words(s, want, bytes / 8);
	}
	state_close(s);
	free(want);
}

/*
 * -g: a file that grows under a mapping, and direct I/O to what was stored.
 * ->page_mkwrite prepares a page up to the end of the file. Once the file has
 * grown, the filesystem must be asked again for the rest of that page. And what
 * is written directly must not be overwritten by a page that was dirty before.
 *
 * Each round the file ends inside a page and grows by two pages, in one of four
 * ways; a thread stores to the last page meanwhile, so that it stays writable.
 * What is behind the old end is then stored through the mapping.
 */
#define GROW_ID		5U
#define GROW_ROUNDS	64U
#define GROW_TAIL	968U	/* bytes in the last page */

static struct {
	atomic_ullong *map;
	pthread_mutex_t lock;	/* the thread stores with it held */
	size_t last;		/* where the last page begins */
} grow = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void grow_fill(__u64 *buf, size_t from, size_t to, unsigned int gen)
{
	size_t w;

	for (w = from / 8; w < to / 8; w++)
		buf[w - from / 8] = word(GROW_ID, w, gen);
}

static void grow_store(size_t from, size_t to)
{
	size_t w;

	for (w = from / 8; w < to / 8; w++)
		atomic_store(&grow.map[w], word(GROW_ID, w, 1));
}

static void *grow_thread(void *arg)
{
	while (!atomic_load(&stop)) {
		pthread_mutex_lock(&grow.lock);
		grow_store(grow.last, grow.last + 8);
		pthread_mutex_unlock(&grow.lock);
	}
	return NULL;
}

/*
 * Write page @at directly, store to it, and write it directly once more. The
 * thread waits: direct I/O beside stores to the same folio is undefined.
 */
static void grow_direct(int fd, size_t at, __u64 *buf)
{
	unsigned int gen;

	pthread_mutex_lock(&grow.lock);
	for (gen = 1; gen <= 2; gen++) {
		grow_fill(buf, at, at + page_size, gen);
		if (pwrite(fd, buf, page_size, at) != (ssize_t)page_size)
			fail("direct pwrite: %s", strerror(errno));
		if (gen == 1)
			grow_store(at, at + 8);
	}
	pthread_mutex_unlock(&grow.lock);
}

static void grow_truncate(int fd, size_t size)
{
	if (ftruncate(fd, size))
		fail("truncate to %zu: %s", size, strerror(errno));
}

static void run_grow(void)
{
	size_t old, size = GROW_TAIL, max = 2 * GROW_ROUNDS * page_size + GROW_TAIL;
	__u64 *buf, *want = calloc(1, max);
	pthread_t pthread;
	int fd, direct;
	unsigned int i;

	fd = open_in_dir("grow", O_RDWR | O_CREAT | O_TRUNC);
	direct = open_in_dir("grow", O_RDWR | O_DIRECT);
	if (fd < 0 || ftruncate(fd, size) || !want ||
	    posix_memalign((void **)&buf, DIRECT_ALIGN, page_size))
		die("%s/grow", opt.dir);
	grow.map = map_file(fd, "grow", max);
	grow_fill(want, 0, max, 1);
	grow_store(0, size);
	if (pthread_create(&pthread, NULL, grow_thread, NULL))
		die("pthread_create");
	for (i = 0; i < GROW_ROUNDS; i++) {
		size_t middle = grow.last + page_size;

		old = size;
		size += 2 * page_size;
		switch (i % 4) {
		case 0:
			grow_fill(buf, size - 8, size, 1);
			if (pwrite(fd, buf, 8, size - 8) != 8)
				fail("pwrite: %s", strerror(errno));
			break;
		case 1:
			if (direct >= 0) {
				grow_direct(direct, middle, buf);
				grow_fill(want + middle / 8, middle, middle + page_size, 2);
				/* What comes now may write it back. */
				grow_store(old, middle);
			}
			grow_truncate(fd, size);
			break;
		case 2:
			if (fallocate(fd, 0, 0, size))
				grow_truncate(fd, size);
			break;
		case 3:
			grow_truncate(fd, size);
			break;
		}
		grow_store(old, middle);
		if (i % 4 != 1 || direct < 0)
			grow_store(middle, middle + page_size);
		grow_store(middle + page_size, size);
		pthread_mutex_lock(&grow.lock);
		grow.last = middle + page_size;
		pthread_mutex_unlock(&grow.lock);
	}
	atomic_store(&stop, true);
	pthread_join(pthread, NULL);
	if (msync((void *)grow.map, max, MS_SYNC) || fsync(fd))
		fail("%s", strerror(errno));
	munmap((void *)grow.map, max);
	state_one("grow", GROW_ID, want, size);
}

/*
 * -w: a write() to the middle of a page that is not cached, then a load and a
 * store beside it. A network filesystem may have kept the range of the write()
 * only; the store must not be taken for a part of it.
 */
#define PARTIAL_PAGES	32U

static void run_partial(void)
{
	size_t w, page, bytes = PARTIAL_PAGES * page_size, words = page_size / 8;
	__u64 *want = malloc(bytes);
	atomic_ullong *map;
	int fd;

	fd = open_in_dir("partial", O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0 || !want)
		die("%s/partial", opt.dir);
	for (w = 0; w < bytes / 8; w++)
		want[w] = word(0, w, 1);
	if (pwrite(fd, want, bytes, 0) != (ssize_t)bytes || fsync(fd) ||
	    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die("%s/partial", opt.dir);
	map = map_file(fd, "partial", bytes);
	for (page = 0; page < PARTIAL_PAGES; page++) {
		size_t first = page * words + 1 + mix(opt.seed ^ page) % (words - 2);
		size_t before = page * words, behind = before + words - 1;

		want[first] = word(0, first, 2);
		if (pwrite(fd, &want[first], 8, (off_t)first * 8) != 8)
			fail("pwrite: %s", strerror(errno));
		for (w = before; w <= behind; w++)
			if (atomic_load(&map[w]) != want[w])
				mismatch("load", 0, w, want[w], atomic_load(&map[w]));
		w = page % 2 ? before : behind;
		want[w] = word(0, w, 2);
		atomic_store(&map[w], want[w]);
	}
	if (msync((void *)map, bytes, MS_SYNC) || fsync(fd))
		fail("%s", strerror(errno));
	state_one("partial", 0, want, bytes);
	free(want);
}

/*
 * -c: a page is cut off the file, and the file extended again, while a write
 * fault prepares it. Whichever comes first: what is stored afterwards must be
 * in the file, not in a folio that is no longer a part of it. MADV_POPULATE_WRITE
 * makes the fault, for it does nothing but that.
 */
#define CUT_ID		6U
#define CUT_ROUNDS	100U

static struct {
	pthread_barrier_t barrier;
	int fd;
} cut;

/* At any time within a timer tick; the other one begins likewise. */
static void cut_wait(struct thread *t)
{
	usleep(rnd(t, 10000));
}

static void *cut_thread(void *arg)
{
	unsigned int i;

	for (i = 0; i < CUT_ROUNDS; i++) {
		pthread_barrier_wait(&cut.barrier);
		cut_wait(arg);
		/* All of it: a large folio that a fault holds is not split. */
		if (ftruncate(cut.fd, 0) || ftruncate(cut.fd, page_size))
			fail("truncate: %s", strerror(errno));
		pthread_barrier_wait(&cut.barrier);
	}
	return NULL;
}

static void run_cut(void)
{
	struct thread *t = &threads[0];
	__u64 found, *want = calloc(1, page_size);
	atomic_ullong *map;
	pthread_t pthread;
	unsigned int i;

	thread_init(t, 0);
	thread_init(&threads[1], 1);
	pthread_barrier_init(&cut.barrier, NULL, 2);
	cut.fd = open_in_dir("cut", O_RDWR | O_CREAT | O_TRUNC);
	if (cut.fd < 0 || !want || ftruncate(cut.fd, page_size))
		die("%s/cut", opt.dir);
	map = map_file(cut.fd, "cut", page_size);
	if (pthread_create(&pthread, NULL, cut_thread, &threads[1]))
		die("pthread_create");
	for (i = 0; i < CUT_ROUNDS; i++) {
		madvise((void *)map, page_size, MADV_DONTNEED);
		pthread_barrier_wait(&cut.barrier);
		cut_wait(t);
		/* Fails where the file ends before the page. */
		madvise((void *)map, page_size, MADV_POPULATE_WRITE);
		pthread_barrier_wait(&cut.barrier);
		want[0] = word(CUT_ID, 0, i + 1);
		atomic_store(&map[0], want[0]);
		if (pread(cut.fd, &found, 8, 0) != 8)
			fail("pread: %s", strerror(errno));
		else if (found != want[0])
			mismatch("a page that was cut off", CUT_ID, 0, want[0], found);
	}
	pthread_join(pthread, NULL);
	if (msync((void *)map, page_size, MS_SYNC) || fsync(cut.fd))
		fail("%s", strerror(errno));
	state_one("cut", CUT_ID, want, page_size);
	free(want);
}

/*
 * -l: umount alone has to write the last stores. They go to pages that are clean
 * and have their blocks: they were written, read from the disk, and written again.
 */
#define LEFT_ID		8U
#define LEFT_PAGES	64U

static void run_left(void)
{
	size_t w, bytes = LEFT_PAGES * page_size;
	__u64 *want = malloc(bytes);
	atomic_ullong *map;
	unsigned int gen;
	int fd;

	fd = open_in_dir("left", O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0 || !want || set_size(fd, bytes))
		die("%s/left", opt.dir);
	map = map_file(fd, "left", bytes);
	for (gen = 1; gen <= 3; gen++) {
		/* What an fsync() writes may stay queued for the next commit. */
		if (gen > 1 && (is_device(fd) ? fsync(fd) : syncfs(fd)))
			fail("syncfs: %s", strerror(errno));
		if (gen == 2) {
			madvise((void *)map, bytes, MADV_DONTNEED);
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		}
		for (w = 0; w < bytes / 8; w++) {
			want[w] = word(LEFT_ID, w, gen);
			atomic_store(&map[w], want[w]);
		}
	}
	state_one("left", LEFT_ID, want, bytes);
	free(want);
}

static void __noreturn help(void)
{
	fprintf(stderr,
		"usage: fs_integrity -d DIR -o STATE [-s SEED] [-t SECONDS] [-n THREADS] [-Fa]\n"
		"       fs_integrity -d DIR -o STATE [-s SEED] -N MiB [-u UID] [-L]\n"
		"       fs_integrity -d DIR -o STATE [-s SEED] -e COMMAND\n"
		"       fs_integrity -d DIR -o STATE -v [-x]\n"
		"       fs_integrity -d DIR -o STATE -g | -w | -c | -l\n"
		"  -o STATE  what DIR must hold; on another filesystem\n"
		"  -F        freeze and thaw meanwhile\n"
		"  -a        whoever cuts, punches or extends a file is alone in it\n"
		"  -N MiB    store to a sparse file of this size: more than there is space for\n"
		"  -u UID    as this user (quota)\n"
		"  -L        msync may be the first to report that there was no space\n"
		"  -e CMD    CMD makes the device fail all writes\n"
		"  -v        verify, after the next mount; -x: change one byte first\n"
		"  -g        store beside what makes a file grow, and beside direct I/O\n"
		"  -w        store to a page of which a write() made a part dirty\n"
		"  -c        store to a page that was cut off the file during the fault\n"
		"  -l        store to clean pages, and leave it to umount to write them\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = sigbus, .sa_flags = SA_SIGINFO };
	void (*run)(void) = run_mix;
	bool seeded = false;
	size_t len = 0;
	int c;

	page_size = sysconf(_SC_PAGESIZE);
	opt.seed = time(NULL) ^ ((__u64)getpid() << 32);
	while ((c = getopt(argc, argv, "d:o:s:t:n:FaN:u:Le:vxgwcl")) != -1) {
		switch (c) {
		case 'd':
			opt.dir = optarg;
			break;
		case 'o':
			opt.state = optarg;
			break;
		case 's':
			opt.seed = strtoull(optarg, NULL, 0);
			seeded = true;
			break;
		case 't':
			opt.seconds = atoi(optarg);
			break;
		case 'n':
			opt.threads = atoi(optarg);
			break;
		case 'F':
			opt.freeze = true;
			break;
		case 'a':
			opt.alone = true;
			nfiles = KEPT;
			break;
		case 'N':
			opt.nospc_bytes = (size_t)atoi(optarg) << 20;
			run = run_nospc;
			break;
		case 'u':
			opt.uid = atoi(optarg);
			break;
		case 'L':
			opt.late = true;
			break;
		case 'e':
			opt.error_cmd = optarg;
			run = run_eio;
			break;
		case 'v':
			opt.verify = true;
			break;
		case 'x':
			opt.inject = true;
			break;
		case 'w':
			run = run_partial;
			break;
		case 'c':
			run = run_cut;
			break;
		case 'l':
			run = run_left;
			break;
		case 'g':
			run = run_grow;
			break;
		default:
			help();
		}
	}
	if (!opt.dir || !opt.state || optind != argc || !opt.threads ||
	    opt.threads > MAX_THREADS || !opt.seconds)
		help();
	for (c = 0; c < argc; c++)
		len += strlen(argv[c]) + 3;
	repeat = calloc(1, len + 40);
	freeze = mmap(NULL, sizeof(*freeze), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!repeat || freeze == MAP_FAILED)
		die("memory");
	for (c = 0; c < argc; c++)
		sprintf(repeat + strlen(repeat), strchr(argv[c], ' ') ? "'%s' " : "%s ", argv[c]);
	if (!opt.verify && !seeded)
		sprintf(repeat + strlen(repeat), "-s %llu", opt.seed);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGBUS, &sa, NULL);
	signal(SIGALRM, watchdog);
	alarm(opt.seconds * 2 + 60);

	if (!opt.verify)
		ksft_print_msg("seed %llu\n", opt.seed);
	if (opt.verify)
		run_verify();
	else
		run();
	return atomic_load(&failed) ? 1 : 0;
}
