// SPDX-License-Identifier: GPL-2.0
/*
 * The ->page_mkwrite protocol on v2.6.30, judged by mkwritefs. Tests are
 * named after the window they look through; see ../Documentation.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "call.h"
#include "mkwritefs.h"
#include "tap.h"

#define DIR	"/tmp/mkwritefs"
#define PAGES	32
#define ROUNDS	1000	/* of the stress test: work, not time, as a guest may be slow */

/* The two ways a page of a shared mapping gets its first write. */
enum path {
	UNMAPPED,	/* in the cache, not in the page table: __do_fault() */
	READ_MAPPED,	/* mapped read-only by an earlier read: do_wp_page() */
};

static int fd;
static char *map;

/* A fresh filesystem with one mapped file. It goes with the test's process. */
static void begin(unsigned int flags)
{
	struct mkw_setup setup = { .flags = flags };

	umount(DIR);
	mkdir(DIR, 0700);
	expect(mount("mkwrite", DIR, "mkwritefs", 0, NULL) == 0);
	fd = open(DIR "/file", O_RDWR | O_CREAT, 0600);
	expect(fd >= 0);
	expect(ioctl(fd, MKW_IOC_SETUP, &setup) == 0);
	expect(ftruncate(fd, PAGES * PAGE) == 0);
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect(map != MAP_FAILED);
}

static char *at(unsigned long page)
{
	return map + page * PAGE;
}

static void mode(struct mkw_mode mode)
{
	expect(ioctl(fd, MKW_IOC_MODE, &mode) == 0);
}

static struct mkw_counts counts(void)
{
	struct mkw_counts c;

	expect(ioctl(fd, MKW_IOC_COUNTS, &c) == 0);
	return c;
}

static unsigned long violated(enum mkw_violation what)
{
	return counts().violations[what];
}

static void start(unsigned long page, enum path path)
{
	char c;

	if (path == UNMAPPED)
		expect(pread(fd, &c, 1, page * PAGE) == 1);
	else
		expect(read_byte(at(page)) == 0);
}

/* Throws the pages out of the mapping and out of the cache. */
static void forget(void)
{
	static char one[1];

	/* A page just read is held by some CPU's LRU cache. mlock() empties all of them. */
	expect(mlock(one, 1) == 0);
	expect(madvise(map, PAGES * PAGE, MADV_DONTNEED) == 0);
	expect(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
}

/*
 * Written back and read again, the page begins with @value. That it is read
 * again also shows that nobody kept a reference to it or left it locked.
 */
static void kept(unsigned long page, char value)
{
	unsigned long reads;

	expect(msync(map, PAGES * PAGE, MS_SYNC) == 0);
	reads = counts().reads;
	forget();
	expect_eq(value, read_byte(at(page)));
	expect_eq(reads + 1, counts().reads);
}

static void balanced(void)
{
	struct mkw_look look = { .addr = (uintptr_t)map, .nr = PAGES };

	expect(msync(map, PAGES * PAGE, MS_SYNC) == 0);
	expect(ioctl(fd, MKW_IOC_CHECK) == 0);
	expect(ioctl(fd, MKW_IOC_LOOK, &look) == 0);
	expect_eq(0, counts().tickets);
	expect_eq(0, violated(MKW_I1_NO_TICKET));
	expect_eq(0, violated(MKW_I2_CLEAN_CHANGED));
	expect_eq(0, violated(MKW_I3_BALANCE));
	expect_eq(0, violated(MKW_I4_BEYOND_EOF));
}

/* The oracle itself: what is broken by hand is counted. */

static void oracle_i1(void)
{
	__u32 what = MKW_I1_NO_TICKET;

	begin(0);
	start(0, READ_MAPPED);
	expect(ioctl(fd, MKW_IOC_BREAK, &what) == 0);
	expect_eq(1, violated(MKW_I1_NO_TICKET));
}

static void oracle_i2(void)
{
	__u32 what = MKW_I2_CLEAN_CHANGED;

	begin(0);
	start(0, READ_MAPPED);
	expect(ioctl(fd, MKW_IOC_BREAK, &what) == 0);
	expect(ioctl(fd, MKW_IOC_CHECK) == 0);
	expect_eq(1, violated(MKW_I2_CLEAN_CHANGED));
}

static void oracle_i3(void)
{
	__u32 what = MKW_I3_BALANCE;

	begin(0);
	expect(write_byte(at(0), 'a') == 0);
	expect_eq(1, counts().tickets);
	expect(ioctl(fd, MKW_IOC_BREAK, &what) == 0);
	expect(ioctl(fd, MKW_IOC_CHECK) == 0);
	expect_eq(1, violated(MKW_I3_BALANCE));
}

static void oracle_i4(void)
{
	struct mkw_look look = { .nr = 1 };
	__u32 what = MKW_I4_BEYOND_EOF;

	begin(0);
	expect(write_byte(at(0), 'a') == 0);
	expect(ioctl(fd, MKW_IOC_BREAK, &what) == 0);
	look.addr = (uintptr_t)map;
	expect(ioctl(fd, MKW_IOC_LOOK, &look) == 0);
	expect_eq(1, look.beyond);
	expect_eq(1, violated(MKW_I4_BEYOND_EOF));
}

/*
 * W3: somebody waits for the page lock that the handler holds, and cleans the
 * page as soon as he gets it. If that is before the page is dirty, it becomes
 * dirty without a ticket. A page after the other: where the lock goes from hand
 * to hand it does not always go to him.
 */
static void cleaned_in_the_gap(enum path path)
{
	unsigned long page;

	begin(0);
	for (page = 0; page < PAGES; page++) {
		start(page, path);
		mode((struct mkw_mode){ .times = 1, .ret = MKW_LOCKED,
			.adversary = MKW_CLEAN, .when = MKW_AT_UNLOCK });
		expect(write_byte(at(page), 'w') == 0);
		expect_eq(0, violated(MKW_I1_NO_TICKET));
	}
	expect(counts().page_mkwrite >= PAGES);
	kept(PAGES - 1, 'w');
	balanced();
}

static void w3_fault(void)
{
	cleaned_in_the_gap(UNMAPPED);
}

static void w3_wp(void)
{
	cleaned_in_the_gap(READ_MAPPED);
}

/* The same with truncate: all of the page is gone, and its tickets. */
static void truncated_in_the_gap(enum path path)
{
	begin(0);
	start(1, path);
	mode((struct mkw_mode){ .times = 1, .ret = MKW_LOCKED,
		.adversary = MKW_TRUNCATE, .when = MKW_AT_UNLOCK });
	/* He writes in time or not at all. */
	write_byte(at(1), 'w');
	counts();
	expect(write_byte(at(1), 'w') == SIGBUS);
	expect(write_byte(at(0), 'w') == 0);
	balanced();
}

static void truncate_fault(void)
{
	truncated_in_the_gap(UNMAPPED);
}

static void truncate_wp(void)
{
	truncated_in_the_gap(READ_MAPPED);
}

/*
 * A handler that does not lock: the page is replaced before the VM looks. It
 * has to see that, and to go to the new one.
 */
static void replaced_after_return(enum path path)
{
	begin(0);
	start(1, path);
	mode((struct mkw_mode){ .times = 1, .ret = MKW_UNLOCKED,
		.adversary = MKW_REFILL, .when = MKW_AT_RETURN });
	expect(write_byte(at(1), 'w') == 0);
	kept(1, 'w');
	balanced();
}

static void unlocked_fault(void)
{
	replaced_after_return(UNMAPPED);
}

static void unlocked_wp(void)
{
	replaced_after_return(READ_MAPPED);
}

/*
 * A driver's page, which has no mapping, and a handler that does not lock: not
 * to be taken for a truncated one, or the fault has no end.
 */
static void driver_page(enum path path)
{
	begin(MKW_OWN_FAULT);
	if (path == READ_MAPPED)
		expect_eq(0, read_byte(at(0)));
	expect(write_byte(at(0), 'd') == 0);
	expect_eq('d', read_byte(at(0)));
	expect_eq(1, counts().page_mkwrite);
}

static void driver_fault(void)
{
	driver_page(UNMAPPED);
}

static void driver_wp(void)
{
	driver_page(READ_MAPPED);
}

/* Exits: afterwards the page is unlocked and has all its references back. */

static void exits(enum path path, int ret, bool sigbus)
{
	begin(0);
	start(2, path);
	mode((struct mkw_mode){ .times = 1, .ret = ret });
	expect_eq(sigbus ? SIGBUS : 0, write_byte(at(2), 'x'));
	expect_eq(sigbus ? 1 : 2, counts().page_mkwrite);
	expect(write_byte(at(2), 'y') == 0);
	kept(2, 'y');
	balanced();
}

static void nopage_fault(void)
{
	exits(UNMAPPED, MKW_NOPAGE, false);
}

static void nopage_wp(void)
{
	exits(READ_MAPPED, MKW_NOPAGE, false);
}

static void error_fault(void)
{
	exits(UNMAPPED, MKW_SIGBUS, true);
}

static void error_wp(void)
{
	exits(READ_MAPPED, MKW_SIGBUS, true);
}

/* A handler that says VM_FAULT_LOCKED next to an error: it is an error. */
static void error_locked(enum path path)
{
	begin(0);
	start(2, path);
	mode((struct mkw_mode){ .times = 1, .ret = MKW_SIGBUS_LOCKED });
	expect_eq(SIGBUS, write_byte(at(2), 'x'));
	expect(ioctl(fd, MKW_IOC_RELEASE) == 0);
	expect(write_byte(at(2), 'y') == 0);
	kept(2, 'y');
	balanced();
}

static void error_locked_fault(void)
{
	error_locked(UNMAPPED);
}

static void error_locked_wp(void)
{
	error_locked(READ_MAPPED);
}

/*
 * A page that lost its uptodate bit, as after a failed write, is read again,
 * mapped or not. An alarm ends the test that faults for ever.
 */
static void stale(enum path path)
{
	unsigned long reads;

	begin(0);
	start(2, path);
	reads = counts().reads;
	mode((struct mkw_mode){ .times = 1, .ret = MKW_LOCKED,
		.adversary = MKW_STALE, .when = MKW_AT_ENTRY });
	expect(write_byte(at(2), 's') == 0);
	expect_eq(reads + 1, counts().reads);
	kept(2, 's');
	balanced();
}

static void stale_fault(void)
{
	stale(UNMAPPED);
}

static void stale_wp(void)
{
	stale(READ_MAPPED);
}

/* i_size says that a page is gone which is mapped still: SIGBUS, and soon. */
static void shrunk(enum path path)
{
	begin(0);
	expect(write_byte(at(1), 'a') == 0);
	start(2, path);
	mode((struct mkw_mode){ .times = 1, .ret = MKW_LOCKED,
		.adversary = MKW_SHRINK, .when = MKW_AT_ENTRY });
	expect_eq(SIGBUS, write_byte(at(2), 's'));
	expect(ftruncate(fd, 2 * PAGE) == 0);
	kept(1, 'a');
	balanced();
}

static void shrunk_fault(void)
{
	shrunk(UNMAPPED);
}

static void shrunk_wp(void)
{
	shrunk(READ_MAPPED);
}

/* This kernel kills on VM_FAULT_OOM, so a child has to write. */
static void out_of_memory(enum path path)
{
	int status;
	pid_t pid;

	begin(0);
	start(2, path);
	mode((struct mkw_mode){ .times = 1, .ret = MKW_OOM });
	pid = fork();
	if (!pid) {
		if (path == READ_MAPPED)
			read_byte(at(2));
		write_byte(at(2), 'x');
		_exit(0);
	}
	expect(pid > 0 && waitpid(pid, &status, 0) == pid);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	expect(write_byte(at(2), 'y') == 0);
	kept(2, 'y');
	balanced();
}

static void oom_fault(void)
{
	out_of_memory(UNMAPPED);
}

static void oom_wp(void)
{
	out_of_memory(READ_MAPPED);
}

/* Threads for what needs two. */

struct writer {
	pthread_t thread;
	unsigned long page, offset, rounds;
	volatile pid_t tid;
	volatile bool done;
};

static volatile bool go, stop;

/* Not before go: a thread that waits in a fault has mmap_sem, and no other can be made. */
static void *write_once(void *arg)
{
	struct writer *w = arg;

	while (!go)
		usleep(1000);
	w->tid = syscall(SYS_gettid);
	write_byte(at(w->page) + w->offset, 'w');
	w->done = true;
	return NULL;
}

/* Waits until the thread waits for a lock in the kernel and no signal would wake it, or did not have to. */
static void wait_for_lock(struct writer *w)
{
	char name[64], state = 0;
	FILE *f;

	do {
		usleep(10000);
		if (!w->tid)
			continue;
		snprintf(name, sizeof(name), "/proc/self/task/%d/stat", w->tid);
		f = fopen(name, "r");
		if (!f)
			continue;
		if (fscanf(f, "%*d %*s %c", &state) != 1)
			state = 0;
		fclose(f);
	} while (!w->done && state != 'D');
}

/*
 * W5: no ->page_mkwrite, and the page is locked by somebody, as it is while
 * writeback cleans it: the PTE must not become writable before the lock is free.
 */
static void w5_no_handler(void)
{
	struct mkw_collide collide;
	struct writer w = { .page = 3 };
	__u64 index = 3;

	begin(MKW_NO_MKWRITE);
	start(3, READ_MAPPED);
	expect(ioctl(fd, MKW_IOC_HOLD, &index) == 0);
	expect(pthread_create(&w.thread, NULL, write_once, &w) == 0);
	go = true;
	wait_for_lock(&w);
	collide.addr = (uintptr_t)at(3);
	expect(ioctl(fd, MKW_IOC_COLLIDE, &collide) == 0);
	expect(ioctl(fd, MKW_IOC_RELEASE) == 0);
	expect(pthread_join(w.thread, NULL) == 0);
	expect_eq(0, collide.writable);
	kept(3, 'w');
}

/*
 * Two write at once to a page that is locked by somebody: both are in the fault
 * by then, one of them finds that the other has changed the PTE. The page must
 * be unlocked and have its references back after that, too.
 */
static void lost_race(unsigned int flags, enum path path)
{
	struct writer w[2] = { { .page = 4, .offset = 8 }, { .page = 4, .offset = 16 } };
	__u64 index = 4;
	int i;

	begin(flags);
	start(4, path);
	expect(ioctl(fd, MKW_IOC_HOLD, &index) == 0);
	for (i = 0; i < 2; i++)
		expect(pthread_create(&w[i].thread, NULL, write_once, &w[i]) == 0);
	go = true;
	for (i = 0; i < 2; i++)
		wait_for_lock(&w[i]);
	expect(ioctl(fd, MKW_IOC_RELEASE) == 0);
	for (i = 0; i < 2; i++)
		expect(pthread_join(w[i].thread, NULL) == 0);
	expect_eq('w', read_byte(at(4) + 8));
	kept(4, 0);
	expect_eq('w', read_byte(at(4) + 16));
	if (!(flags & MKW_NO_MKWRITE))
		balanced();
}

static void lost_fault(void)
{
	lost_race(0, UNMAPPED);
}

static void lost_wp(void)
{
	lost_race(0, READ_MAPPED);
}

static void lost_wp_no_handler(void)
{
	lost_race(MKW_NO_MKWRITE, READ_MAPPED);
}

/* Each thread has a byte of its own in every page and counts in it. */
static void *write_on(void *arg)
{
	struct writer *w = arg;
	unsigned long page;

	while (w->rounds < ROUNDS) {
		w->rounds++;
		for (page = 0; page < PAGES / 2; page++)
			expect(write_byte(at(page) + w->offset, w->rounds) == 0);
	}
	return NULL;
}

static void *sync_on(void *arg)
{
	while (!stop)
		msync(map, PAGES * PAGE, MS_SYNC);
	return arg;
}

/* The second half of the file comes and goes; who writes there may be too late. */
static void *truncate_on(void *arg)
{
	unsigned long page;

	while (!stop) {
		expect(ftruncate(fd, PAGES / 2 * PAGE) == 0);
		expect(ftruncate(fd, PAGES * PAGE) == 0);
		for (page = PAGES / 2; page < PAGES; page++)
			write_byte(at(page), 't');
	}
	return arg;
}

static void stress(void)
{
	struct writer writers[4] = {};
	pthread_t others[3];
	unsigned long page;
	int i;

	begin(0);
	for (i = 0; i < 4; i++) {
		writers[i].offset = i * 8;
		expect(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]) == 0);
	}
	expect(pthread_create(&others[0], NULL, sync_on, NULL) == 0);
	expect(pthread_create(&others[1], NULL, truncate_on, NULL) == 0);
	expect(pthread_create(&others[2], NULL, truncate_on, NULL) == 0);
	for (i = 0; i < 4; i++)
		expect(pthread_join(writers[i].thread, NULL) == 0);
	stop = true;
	for (i = 0; i < 3; i++)
		expect(pthread_join(others[i], NULL) == 0);

	balanced();
	forget();
	for (page = 0; page < PAGES / 2; page++)
		for (i = 0; i < 4; i++)
			expect_eq(ROUNDS & 0xff, read_byte(at(page) + writers[i].offset));
	printf("# %lu calls of ->page_mkwrite\n", (unsigned long)counts().page_mkwrite);
	fflush(stdout);
}

static const struct test tests[] = {
	{ "oracle.sees_missing_ticket", oracle_i1, 20 },
	{ "oracle.sees_clean_changed", oracle_i2, 20 },
	{ "oracle.sees_imbalance", oracle_i3, 20 },
	{ "oracle.sees_writable_beyond_eof", oracle_i4, 20 },
	{ "W3.cleaned_unmapped", w3_fault, 20 },
	{ "W3.cleaned_read_mapped", w3_wp, 20 },
	{ "W5.lock_first_read_mapped", w5_no_handler, 20 },
	{ "W6.stale_read_mapped", stale_wp, 5 },
	{ "W6.shrunk_read_mapped", shrunk_wp, 5 },
	{ "contract.stale_unmapped", stale_fault, 5 },
	{ "contract.shrunk_unmapped", shrunk_fault, 5 },
	{ "contract.truncated_unmapped", truncate_fault, 20 },
	{ "contract.truncated_read_mapped", truncate_wp, 20 },
	{ "contract.refilled_unmapped", unlocked_fault, 20 },
	{ "contract.refilled_read_mapped", unlocked_wp, 20 },
	{ "contract.driver_page_unmapped", driver_fault, 5 },
	{ "contract.driver_page_read_mapped", driver_wp, 5 },
	{ "contract.nopage_unmapped", nopage_fault, 20 },
	{ "contract.nopage_read_mapped", nopage_wp, 20 },
	{ "contract.sigbus_unmapped", error_fault, 20 },
	{ "contract.sigbus_read_mapped", error_wp, 20 },
	{ "contract.error_locked_unmapped", error_locked_fault, 20 },
	{ "contract.error_locked_read_mapped", error_locked_wp, 20 },
	{ "contract.oom_unmapped", oom_fault, 20 },
	{ "contract.oom_read_mapped", oom_wp, 20 },
	{ "contract.lost_race_unmapped", lost_fault, 20 },
	{ "contract.lost_race_read_mapped", lost_wp, 20 },
	{ "contract.lost_race_no_handler", lost_wp_no_handler, 20 },
	{ "contract.stress", stress, 240 },
};

int main(void)
{
	int count = sizeof(tests) / sizeof(tests[0]);

	printf("TAP version 13\n1..%d\n", count);
	return run_tests(tests, count);
}
