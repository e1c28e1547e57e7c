/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the mkwrite tests share: a fresh mkwritefs with one mapped file, a
 * write that survives SIGBUS, and the counts.
 */
#ifndef MKWRITE_H
#define MKWRITE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "test_modules/mkwritefs.h"

#define PAGE	4096UL
#define TABLE	(512 * PAGE)	/* what one page table maps */
#define LOG	"/dev/kmsg"

/*
 * Loads a module from where it is installed, beside the program. Leaves in @ko
 * which file that is.
 */
static inline int mkw_load(const char *module, char *ko, size_t size)
{
	char dir[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	int fd, ret;

	if (len < 0)
		return -1;
	dir[len] = 0;
	*strrchr(dir, '/') = 0;
	snprintf(ko, size, "/sys/module/%s", module);
	if (!access(ko, F_OK))
		return 0;
	snprintf(ko, size, "%s/test_modules/%s.ko", dir, module);
	fd = open(ko, O_RDONLY);
	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

/*
 * Without root or the module nothing can be said: the program is skipped.
 * But -l and -h go everywhere.
 */
static inline void mkw_ready(int argc, char **argv)
{
	char ko[PATH_MAX + 64] = "";

	if (argc > 1 && (!strcmp(argv[1], "-l") || !strcmp(argv[1], "-h")))
		return;
	if (!geteuid() && !mkw_load("mkwritefs", ko, sizeof(ko)))
		return;
	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("needs root\n");
	ksft_exit_skip("cannot load %s: %s\n", ko, strerror(errno));
}

#define MKW_HARNESS_MAIN \
int main(int argc, char **argv) \
{ \
	mkw_ready(argc, argv); \
	return test_harness_run(argc, argv); \
}

/* The two ways a page of a shared mapping gets its first write. */
enum path {
	UNMAPPED,	/* in the cache, not in the page table: do_shared_fault() */
	READ_MAPPED,	/* mapped read-only by an earlier read: do_wp_page() */
};

struct mkw {
	char dir[32];
	int fd;
	char *map;
	unsigned long pages;
	char unfairness[16];
};

static __thread sigjmp_buf mkw_escape;
static __thread volatile sig_atomic_t mkw_armed;

static void mkw_on_sigbus(int sig)
{
	if (!mkw_armed)
		_exit(KSFT_FAIL);
	siglongjmp(mkw_escape, sig);
}

/* Writes one byte. Returns 0, or SIGBUS if the write could not be done. */
static inline int mkw_write(struct mkw *m, unsigned long page, char value)
{
	int sig = sigsetjmp(mkw_escape, 1);

	if (!sig) {
		mkw_armed = 1;
		*(volatile char *)(m->map + page * PAGE) = value;
	}
	mkw_armed = 0;
	return sig;
}

/* Reads one byte. Returns it, or -SIGBUS. */
static inline int mkw_read(struct mkw *m, unsigned long page)
{
	int sig = sigsetjmp(mkw_escape, 1);
	int value = 0;

	if (!sig) {
		mkw_armed = 1;
		value = *(volatile unsigned char *)(m->map + page * PAGE);
	}
	mkw_armed = 0;
	return sig ? -sig : value;
}

/* Brings the page into the state from which @path starts. */
static inline void mkw_start(struct __test_metadata *_metadata,
			     struct mkw *m, unsigned long page,
			     enum path path)
{
	char c;

	/* This makes the folio, of the file's order. */
	ASSERT_EQ(1, pread(m->fd, &c, 1, page * PAGE));
	if (path == READ_MAPPED)
		ASSERT_LE(0, mkw_read(m, page));
}

/* Puts a setting of the VM into force, returns the old one in @old. */
static inline void mkw_sysctl(struct __test_metadata *_metadata,
			      const char *path, const char *value,
			      char *old, size_t size)
{
	int fd = open(path, O_RDWR);

	ASSERT_LE(0, fd);
	if (old) {
		ssize_t len = read(fd, old, size - 1);

		ASSERT_LT(0, len);
		old[len] = 0;
	}
	ASSERT_EQ((ssize_t)strlen(value), pwrite(fd, value, strlen(value), 0));
	close(fd);
}

#define UNFAIRNESS "/proc/sys/vm/page_lock_unfairness"

static inline void mkw_mount(struct __test_metadata *_metadata,
			     struct mkw *m)
{
	struct sigaction action = { .sa_handler = mkw_on_sigbus };

	snprintf(m->dir, sizeof(m->dir), "/tmp/mkwrite.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(m->dir));
	if (mount("mkwrite", m->dir, "mkwritefs", 0, NULL)) {
		rmdir(m->dir);
		ASSERT_EQ(0, errno) TH_LOG("no mkwritefs: is the module loaded?");
	}
	m->fd = -1;
	ASSERT_EQ(0, sigaction(SIGBUS, &action, NULL));
	/* The lock is handed to the first waiter: a newcomer cannot steal it. */
	mkw_sysctl(_metadata, UNFAIRNESS, "0", m->unfairness,
		   sizeof(m->unfairness));
}

/*
 * Makes the file and maps it, at the beginning of a page table: how many of
 * them a mapping needs must not be up to chance.
 */
static inline void mkw_open(struct __test_metadata *_metadata,
			    struct mkw *m, unsigned long pages,
			    unsigned int order, unsigned int flags)
{
	struct mkw_setup setup = { .order = order, .flags = flags };
	char name[64];

	snprintf(name, sizeof(name), "%s/file", m->dir);
	m->fd = open(name, O_RDWR | O_CREAT, 0600);
	ASSERT_LE(0, m->fd);
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_SETUP, &setup)) {
		TH_LOG("cannot have folios of order %u", order);
	}
	ASSERT_EQ(0, ftruncate(m->fd, pages * PAGE));
	m->pages = pages;
	m->map = mmap(NULL, TABLE + pages * PAGE, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, m->map);
	m->map = (char *)(((uintptr_t)m->map + TABLE - 1) & -TABLE);
	m->map = mmap(m->map, pages * PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_FIXED, m->fd, 0);
	ASSERT_NE(MAP_FAILED, m->map);
}

#define mkw_mode(m, ...) do { \
	struct mkw_mode mode_ = { __VA_ARGS__ }; \
	ASSERT_EQ(0, ioctl((m)->fd, MKW_IOC_MODE, &mode_)); \
} while (0)

static inline struct mkw_counts mkw_counts(struct mkw *m)
{
	struct mkw_counts counts = {};

	/* A failure shows: nothing else sets every count to all ones. */
	if (ioctl(m->fd, MKW_IOC_COUNTS, &counts))
		memset(&counts, 0xff, sizeof(counts));
	return counts;
}

static inline unsigned long mkw_violated(struct mkw *m,
					 enum mkw_violation what)
{
	return mkw_counts(m).violations[what];
}

/* Throws the file's clean pages out of the mapping and out of the cache. */
static inline void mkw_forget(struct __test_metadata *_metadata,
			      struct mkw *m)
{
	ASSERT_EQ(0, madvise(m->map, m->pages * PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, posix_fadvise(m->fd, 0, 0, POSIX_FADV_DONTNEED));
}

/* Splits every folio of the file that can be split, into pages. */
static inline int mkw_split(struct mkw *m)
{
	int fd = open("/sys/kernel/debug/split_huge_pages", O_WRONLY);
	int ret;

	if (fd < 0)
		return -1;
	ret = dprintf(fd, "%s/file,0x0,0x%lx", m->dir, m->pages);
	close(fd);
	return ret < 0 ? -1 : 0;
}

/* Checks, written back and read again, that the page begins with @value. */
static inline void mkw_kept(struct __test_metadata *_metadata,
			    struct mkw *m, unsigned long page,
			    char value)
{
	unsigned long reads;

	ASSERT_EQ(0, msync(m->map, m->pages * PAGE, MS_SYNC));
	EXPECT_EQ(0, mkw_counts(m).tickets);
	reads = mkw_counts(m).reads;
	mkw_forget(_metadata, m);
	EXPECT_EQ(value, mkw_read(m, page));
	EXPECT_EQ(reads + 1, mkw_counts(m).reads);
}

/* Violations of this invariant, up to and including the last unmount. */
static inline unsigned long mkw_final(struct __test_metadata *_metadata,
				      enum mkw_violation what)
{
	FILE *f = fopen("/sys/module/mkwritefs/parameters/violations", "r");
	unsigned long count = ~0UL;
	int i;

	ASSERT_NE(NULL, f);
	for (i = 0; i <= (int)what; i++)
		ASSERT_EQ(1, fscanf(f, i ? ",%lu" : "%lu", &count));
	fclose(f);
	return count;
}

/* Ends what mkw_mount() and mkw_open() began. The counts survive it. */
static inline void mkw_umount(struct __test_metadata *_metadata,
			      struct mkw *m)
{
	if (m->fd >= 0) {
		ioctl(m->fd, MKW_IOC_RELEASE);
		ioctl(m->fd, FITHAW, 0);
		if (m->map)
			munmap(m->map, m->pages * PAGE);
		close(m->fd);
	}
	EXPECT_EQ(0, umount(m->dir));
	EXPECT_EQ(0, rmdir(m->dir));
	mkw_sysctl(_metadata, UNFAIRNESS, m->unfairness, NULL, 0);
}

/*
 * A fixture whose tests get a fresh mount and have to leave it in balance,
 * also after the unmounting: whatever a test is about, these must not happen.
 */
#define MKW_FIXTURE(name) \
FIXTURE(name) { struct mkw m; }; \
FIXTURE_SETUP(name) { mkw_mount(_metadata, &self->m); } \
FIXTURE_TEARDOWN(name) \
{ \
	mkw_umount(_metadata, &self->m); \
	EXPECT_EQ(0, mkw_final(_metadata, MKW_I2_CLEAN_CHANGED)); \
	EXPECT_EQ(0, mkw_final(_metadata, MKW_I3_BALANCE)); \
	EXPECT_EQ(0, mkw_final(_metadata, MKW_I4_BEYOND_EOF)); \
	EXPECT_EQ(0, mkw_final(_metadata, MKW_I7_NO_TABLE)); \
	EXPECT_EQ(0, mkw_final(_metadata, MKW_I8_LOCK_LOST)); \
}

/* The same, with every test for a page in each of the two states. */
#define MKW_PATHS(name) \
MKW_FIXTURE(name) \
FIXTURE_VARIANT(name) { enum path path; }; \
FIXTURE_VARIANT_ADD(name, unmapped) { .path = UNMAPPED }; \
FIXTURE_VARIANT_ADD(name, read_mapped) { .path = READ_MAPPED };

static inline void mkw_log(struct __test_metadata *_metadata, const char *line)
{
	int fd = open(LOG, O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)strlen(line), write(fd, line, strlen(line)));
	close(fd);
}

/*
 * Between these two a warning of the kernel that names a ->page_mkwrite handler
 * is what the test provokes: who judges the log does not count it.
 */
static inline void mkw_expect_warning(struct __test_metadata *_metadata)
{
	mkw_log(_metadata, "mkwrite: expect: page_mkwrite");
}

static inline void mkw_expect_end(struct __test_metadata *_metadata)
{
	mkw_log(_metadata, "mkwrite: expect end");
}

/* Whether the kernel's log has a line with @text. */
static inline bool mkw_logged(struct __test_metadata *_metadata,
			      const char *text)
{
	int fd = open(LOG, O_RDONLY | O_NONBLOCK);
	char line[2048];
	bool found = false;
	ssize_t len;

	ASSERT_LE(0, fd);
	while (!found) {
		len = read(fd, line, sizeof(line) - 1);
		if (len < 0 && errno == EPIPE)
			continue;	/* overwritten meanwhile: the next one */
		if (len < 0)
			break;
		line[len] = 0;
		found = strstr(line, text);
	}
	close(fd);
	return found;
}

/* A field of the mapping's entry in smaps, in pages. */
static inline unsigned long mkw_smaps(struct __test_metadata *_metadata, struct mkw *m,
				      const char *field)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end, kib = ~0UL;
	bool ours = false;
	char line[512];

	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			ours = start == (uintptr_t)m->map;
		else if (ours && !strncmp(line, field, strlen(field)))
			sscanf(line + strlen(field), ": %lu", &kib);
	}
	fclose(f);
	ASSERT_NE(~0UL, kib);
	return kib * 1024 / PAGE;
}

/* A thread that writes to one page. */
struct mkw_writer {
	pthread_t thread;
	struct mkw *m;
	unsigned long page;
	int sig;
};

static inline void *mkw_writer_main(void *arg)
{
	struct mkw_writer *w = arg;

	w->sig = mkw_write(w->m, w->page, 'w');
	return NULL;
}

/*
 * Holds the lock of a folio while another thread writes to the page, which
 * begins in the state that @path says. Tells how far that thread came.
 */
static inline struct mkw_collide
mkw_collide(struct __test_metadata *_metadata, struct mkw *m,
	    unsigned long page, enum path path)
{
	struct mkw_collide collide = { .addr = (uintptr_t)m->map + page * PAGE };
	struct mkw_writer w = { .m = m, .page = page };
	__u64 index = page;
	int err;

	mkw_start(_metadata, m, page, path);
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_HOLD, &index));
	err = pthread_create(&w.thread, NULL, mkw_writer_main, &w);
	if (!err)
		err = ioctl(m->fd, MKW_IOC_COLLIDE, &collide);
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_RELEASE));
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(0, w.sig);
	return collide;
}

/* The state of the page table for the whole mapping. */
static inline struct mkw_look mkw_look(struct __test_metadata *_metadata,
				       struct mkw *m)
{
	struct mkw_look look = { .addr = (uintptr_t)m->map, .nr = m->pages };

	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_LOOK, &look));
	return look;
}

#endif /* MKWRITE_H */
