// SPDX-License-Identifier: GPL-2.0
/*
 * A handler that keeps the contract, and what the VM makes of it: of a folio
 * that changes under the fault, of the end of the file, of a freeze, of a
 * handler that fails.
 *
 * No window is shown here. Whether another filesystem's handler keeps the
 * contract (W6, W8) this one cannot tell, and the VM always did its part.
 */
#include <sys/wait.h>

#include "mkwrite.h"

MKW_FIXTURE(contract)

#define NO_VIOLATION(m) do { \
	EXPECT_EQ(0, ioctl((m)->fd, MKW_IOC_CHECK)); \
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET)); \
	EXPECT_EQ(0, mkw_violated(m, MKW_I2_CLEAN_CHANGED)); \
	EXPECT_EQ(0, mkw_violated(m, MKW_I3_BALANCE)); \
} while (0)

/* A store that faults for ever is ended by the alarm, and returns SIGALRM. */
static int write_or_alarm(struct __test_metadata *_metadata, struct mkw *m,
			  unsigned long page, char value)
{
	struct sigaction action = { .sa_handler = mkw_on_sigbus }, old;
	unsigned int left = alarm(0);
	int sig;

	ASSERT_EQ(0, sigaction(SIGALRM, &action, &old));
	alarm(5);
	sig = mkw_write(m, page, value);
	alarm(0);
	ASSERT_EQ(0, sigaction(SIGALRM, &old, NULL));
	alarm(left);
	return sig;
}

/* Between ->fault, or the read-only PTE, and the handler's folio lock. */
static void before_lock(struct __test_metadata *_metadata, struct mkw *m,
			enum path path, enum mkw_adversary adversary)
{
	mkw_open(_metadata, m, 2, 0, 0);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	mkw_start(_metadata, m, 1, path);
	mkw_mode(m, .times = 1, .adversary = adversary, .when = MKW_AT_ENTRY);

	if (adversary == MKW_TRUNCATE) {
		EXPECT_EQ(SIGBUS, mkw_write(m, 1, 2));
		EXPECT_EQ(1, mkw_look(_metadata, m).present);
		EXPECT_EQ(1, mkw_counts(m).tickets);
		EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	} else {
		EXPECT_EQ(0, mkw_write(m, 1, 2));
		/* Asked again, for the folio that is there now. */
		EXPECT_EQ(3, mkw_counts(m).page_mkwrite);
		NO_VIOLATION(m);
		mkw_kept(_metadata, m, 1, 2);
	}
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 1);
}

TEST_F(contract, truncated_unmapped)
{
	before_lock(_metadata, &self->m, UNMAPPED, MKW_TRUNCATE);
}

TEST_F(contract, truncated_read_mapped)
{
	before_lock(_metadata, &self->m, READ_MAPPED, MKW_TRUNCATE);
}

TEST_F(contract, refilled_unmapped)
{
	before_lock(_metadata, &self->m, UNMAPPED, MKW_REFILL);
}

TEST_F(contract, refilled_read_mapped)
{
	before_lock(_metadata, &self->m, READ_MAPPED, MKW_REFILL);
}

TEST_F(contract, invalidated_unmapped)
{
	before_lock(_metadata, &self->m, UNMAPPED, MKW_INVALIDATE);
}

TEST_F(contract, invalidated_read_mapped)
{
	before_lock(_metadata, &self->m, READ_MAPPED, MKW_INVALIDATE);
}

/*
 * W6: what a handler has to ask before it prepares, each filesystem asks in its
 * own way on 6.12. mkwritefs asks by the helper if the kernel has it; if not, as
 * most of them do, so that a red here stands for those and not for the VM.
 */
MKW_FIXTURE(W6)

/*
 * The file ends inside of the folio before the handler has its lock. The folio
 * stays, as it is dirty, but the page that faults is beyond the end of the file.
 */
static void cut(struct __test_metadata *_metadata, struct mkw *m, enum path path)
{
	mkw_open(_metadata, m, 4, 2, 0);
	mkw_start(_metadata, m, 0, UNMAPPED);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	/* Mainline has mapped all of the folio, prepared or not: W7. */
	ASSERT_EQ(0, madvise(m->map + 3 * PAGE, PAGE, MADV_DONTNEED));
	mkw_start(_metadata, m, 3, path);
	mkw_mode(m, .times = 1, .adversary = MKW_CUT, .when = MKW_AT_ENTRY);

	EXPECT_EQ(SIGBUS, mkw_write(m, 3, 2));
	EXPECT_EQ(0, mkw_look(_metadata, m).beyond);
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 1);
}

TEST_F(W6, cut_unmapped)
{
	cut(_metadata, &self->m, UNMAPPED);
}

TEST_F(contract, cut_read_mapped)
{
	cut(_metadata, &self->m, READ_MAPPED);
}

/* i_size says that a page is gone which is mapped still: SIGBUS, and soon. */
static void shrink(struct __test_metadata *_metadata, struct mkw *m,
		   enum path path)
{
	mkw_open(_metadata, m, 2, 0, 0);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	mkw_start(_metadata, m, 1, path);
	mkw_mode(m, .times = 1, .adversary = MKW_SHRINK, .when = MKW_AT_ENTRY);

	EXPECT_EQ(SIGBUS, write_or_alarm(_metadata, m, 1, 2));
	ASSERT_EQ(0, ftruncate(m->fd, PAGE));
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 1);
}

TEST_F(contract, shrunk_unmapped)
{
	shrink(_metadata, &self->m, UNMAPPED);
}

TEST_F(W6, shrunk_read_mapped)
{
	shrink(_metadata, &self->m, READ_MAPPED);
}

/* A folio that lost its uptodate bit is read again, mapped or not. */
static void stale(struct __test_metadata *_metadata, struct mkw *m,
		  enum path path)
{
	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = 1, .adversary = MKW_STALE, .when = MKW_AT_ENTRY);

	EXPECT_EQ(0, write_or_alarm(_metadata, m, 0, 2));
	EXPECT_EQ(2, mkw_counts(m).reads);
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 2);
}

TEST_F(contract, stale_unmapped)
{
	stale(_metadata, &self->m, UNMAPPED);
}

TEST_F(W6, stale_read_mapped)
{
	stale(_metadata, &self->m, READ_MAPPED);
}

/* What a private mapping has copied is no page of the folio, and stays. */
TEST_F(contract, stale_keeps_a_copy)
{
	struct mkw *m = &self->m;
	volatile char *copy;

	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, READ_MAPPED);
	copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, m->fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)copy);
	*copy = 7;
	mkw_mode(m, .times = 1, .adversary = MKW_STALE, .when = MKW_AT_ENTRY);
	EXPECT_EQ(0, write_or_alarm(_metadata, m, 0, 2));
	EXPECT_EQ(2, mkw_counts(m).reads);
	EXPECT_EQ(7, *copy);
	ASSERT_EQ(0, munmap((void *)copy, PAGE));
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 2);
}

/* Somebody else's writeback before the lock is none of the fault's business. */
static void cleaned(struct __test_metadata *_metadata, struct mkw *m,
		    enum path path)
{
	mkw_open(_metadata, m, 1, 0, 0);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	ASSERT_EQ(0, msync(m->map, PAGE, MS_SYNC));
	mkw_forget(_metadata, m);
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = 1, .adversary = MKW_CLEAN, .when = MKW_AT_ENTRY);
	EXPECT_EQ(0, mkw_write(m, 0, 2));
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 2);
}

TEST_F(contract, cleaned_unmapped)
{
	cleaned(_metadata, &self->m, UNMAPPED);
}

TEST_F(contract, cleaned_read_mapped)
{
	cleaned(_metadata, &self->m, READ_MAPPED);
}

/* A handler that fails leaves nothing behind, and is asked again. */
static void fails(struct __test_metadata *_metadata, struct mkw *m,
		  enum path path, enum mkw_ret ret, unsigned int times)
{
	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = times, .ret = ret);

	if (ret == MKW_SIGBUS) {
		EXPECT_EQ(SIGBUS, mkw_write(m, 0, 1));
		EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
		EXPECT_EQ(0, mkw_counts(m).tickets);
		EXPECT_EQ(0, mkw_look(_metadata, m).writable);
		NO_VIOLATION(m);
	}
	EXPECT_EQ(0, mkw_write(m, 0, 2));
	EXPECT_EQ(times + 1, mkw_counts(m).page_mkwrite);
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 2);
}

TEST_F(contract, sigbus_unmapped)
{
	fails(_metadata, &self->m, UNMAPPED, MKW_SIGBUS, 1);
}

TEST_F(contract, sigbus_read_mapped)
{
	fails(_metadata, &self->m, READ_MAPPED, MKW_SIGBUS, 1);
}

/* The folio lock that comes with it is nobody's but the VM's. */
static void fails_locked(struct __test_metadata *_metadata, struct mkw *m,
			 enum path path)
{
	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = 1, .ret = MKW_SIGBUS_LOCKED, .flags = MKW_LIMITED);
	EXPECT_EQ(SIGBUS, mkw_write(m, 0, 1));
	EXPECT_EQ(0, mkw_look(_metadata, m).writable);
	mkw_mode(m, .times = 1, .ret = MKW_NOPAGE_LOCKED, .flags = MKW_LIMITED);
	EXPECT_EQ(0, mkw_write(m, 0, 2));
	EXPECT_EQ(3, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, mkw_violated(m, MKW_I8_LOCK_LOST));
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 2);
}

TEST_F(contract, error_locked_unmapped)
{
	fails_locked(_metadata, &self->m, UNMAPPED);
}

TEST_F(contract, error_locked_read_mapped)
{
	fails_locked(_metadata, &self->m, READ_MAPPED);
}

TEST_F(contract, nopage_unmapped)
{
	fails(_metadata, &self->m, UNMAPPED, MKW_NOPAGE, 3);
}

TEST_F(contract, nopage_read_mapped)
{
	fails(_metadata, &self->m, READ_MAPPED, MKW_NOPAGE, 3);
}

TEST_F(contract, oom_unmapped)
{
	fails(_metadata, &self->m, UNMAPPED, MKW_OOM, 1);
}

TEST_F(contract, oom_read_mapped)
{
	fails(_metadata, &self->m, READ_MAPPED, MKW_OOM, 1);
}

/* The last page ends in the middle: writable as a whole, kept below i_size. */
static void last_page(struct __test_metadata *_metadata, struct mkw *m,
		      enum path path)
{
	mkw_open(_metadata, m, 3, 0, 0);
	ASSERT_EQ(0, ftruncate(m->fd, PAGE + 100));
	mkw_start(_metadata, m, 1, path);
	EXPECT_EQ(0, mkw_write(m, 1, 1));
	m->map[PAGE + 99] = 2;
	m->map[PAGE + 100] = 3;
	EXPECT_EQ(SIGBUS, mkw_write(m, 2, 4));
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 1, 1);

	/* Extended, the file has zeroes there. */
	m->map[PAGE + 100] = 3;
	ASSERT_EQ(0, ftruncate(m->fd, 3 * PAGE));
	EXPECT_EQ(2, m->map[PAGE + 99]);
	EXPECT_EQ(0, m->map[PAGE + 100]);
	EXPECT_EQ(0, mkw_write(m, 2, 4));
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 2, 4);
}

TEST_F(contract, last_page_unmapped)
{
	last_page(_metadata, &self->m, UNMAPPED);
}

TEST_F(contract, last_page_read_mapped)
{
	last_page(_metadata, &self->m, READ_MAPPED);
}

/* Truncation takes the writable PTEs, and the tickets, of what it removes. */
TEST_F(contract, truncate_takes_all)
{
	struct mkw_look look;
	int page;

	mkw_open(_metadata, &self->m, 8, 0, 0);
	for (page = 0; page < 8; page++)
		EXPECT_EQ(0, mkw_write(&self->m, page, page + 1));
	EXPECT_EQ(8, mkw_counts(&self->m).tickets);
	ASSERT_EQ(0, ftruncate(self->m.fd, 3 * PAGE));
	EXPECT_EQ(3, mkw_counts(&self->m).tickets);
	look = mkw_look(_metadata, &self->m);
	EXPECT_EQ(3, look.present);
	EXPECT_EQ(3, look.writable);
	EXPECT_EQ(SIGBUS, mkw_write(&self->m, 3, 1));
	NO_VIOLATION(&self->m);
	mkw_kept(_metadata, &self->m, 2, 3);
}

/*
 * Truncation inside of a large folio: what is left of it keeps its content, and
 * what was cut off does not come back. A dirty folio cannot be split here, as
 * with every filesystem that keeps its state for the folio as a whole.
 */
static void truncate_inside(struct __test_metadata *_metadata, struct mkw *m,
			    bool dirty, unsigned long calls)
{
	unsigned long page;

	mkw_open(_metadata, m, 8, 3, 0);
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	mkw_start(_metadata, m, 0, UNMAPPED);
	for (page = 0; page < 8; page++)
		EXPECT_EQ(0, mkw_write(m, page, page + 1));
	if (!dirty)
		ASSERT_EQ(0, msync(m->map, 8 * PAGE, MS_SYNC));
	EXPECT_EQ(dirty, mkw_counts(m).tickets);
	calls += mkw_counts(m).page_mkwrite;

	ASSERT_EQ(0, ftruncate(m->fd, 4 * PAGE + 100));
	EXPECT_EQ(0, mkw_look(_metadata, m).beyond);
	EXPECT_EQ(SIGBUS, mkw_write(m, 5, 1));
	ASSERT_EQ(0, ftruncate(m->fd, 8 * PAGE));
	for (page = 0; page < 8; page++)
		EXPECT_EQ(page < 5 ? (int)page + 1 : 0, mkw_read(m, page));
	NO_VIOLATION(m);

	for (page = 0; page < 5; page++)
		EXPECT_EQ(0, mkw_write(m, page, page + 2));
	/*
	 * Two show that page 4, which the end lies in, is a folio of its own
	 * now. 6.12 splits the others to single pages, too, mainline does not.
	 */
	EXPECT_LE(calls, mkw_counts(m).page_mkwrite);
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 4, 6);
	EXPECT_EQ(2, mkw_read(m, 0));
	EXPECT_EQ(0, mkw_read(m, 5));
}

TEST_F(contract, truncate_inside_clean_folio)
{
	truncate_inside(_metadata, &self->m, false, 2);
}

TEST_F(contract, truncate_inside_dirty_folio)
{
	truncate_inside(_metadata, &self->m, true, 0);
}

/* Prepared and locked, but "retry" all the same: nobody else will unlock it. */
static void retry_locked(struct __test_metadata *_metadata, struct mkw *m,
			 enum path path)
{
	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = 1, .ret = MKW_RETRY_LOCKED);

	mkw_expect_warning(_metadata);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	mkw_expect_end(_metadata);

	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 0, 1);
}

TEST_F(contract, retry_locked_unmapped)
{
	retry_locked(_metadata, &self->m, UNMAPPED);
}

TEST_F(contract, retry_locked_read_mapped)
{
	retry_locked(_metadata, &self->m, READ_MAPPED);
}

/* Not cached: nothing but ->fault can bring the folio in. */
TEST_F(contract, uncached_is_read)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	EXPECT_EQ(1, mkw_counts(&self->m).reads);
	EXPECT_EQ(1, mkw_counts(&self->m).page_mkwrite);
	mkw_kept(_metadata, &self->m, 0, 1);
}

/*
 * A freeze that begins during the handler does not end before the folio is
 * dirty, so that its writeback sees the folio and write-protects it again.
 *
 * This is the handler's duty: the VM cannot make up for a handler that leaves
 * the folio clean when it lets the freeze go on; oracle.sees_freeze_in_gap shows
 * what becomes of that.
 */
static void freeze(struct __test_metadata *_metadata, struct mkw *m,
		   enum path path)
{
	struct mkw_writer w = { .m = m };

	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = 1, .adversary = MKW_FREEZE, .when = MKW_AT_UNLOCK);

	/* If the freeze is done before the store, that faults again and waits. */
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, mkw_writer_main, &w));
	while (!mkw_counts(m).frozen)
		usleep(1000);
	EXPECT_EQ(0, mkw_counts(m).tickets);
	EXPECT_EQ(0, mkw_look(_metadata, m).writable);
	EXPECT_EQ(0, ioctl(m->fd, FITHAW, 0));
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(0, w.sig);

	EXPECT_EQ(0, mkw_violated(m, MKW_I5_FROZEN_DIRTY));
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 0, 'w');
}

TEST_F(contract, freeze_unmapped)
{
	freeze(_metadata, &self->m, UNMAPPED);
}

TEST_F(contract, freeze_read_mapped)
{
	freeze(_metadata, &self->m, READ_MAPPED);
}

/*
 * A ->fault that returns the folio unlocked, as drivers' do: the VM locks it, but
 * not when ->page_mkwrite is next, which would wait for that lock for ever.
 * First store, first load, first store of a private mapping.
 */
static void unlocked_fault(struct __test_metadata *_metadata, struct mkw *m,
			   unsigned int flags)
{
	volatile char *other, *private;

	mkw_open(_metadata, m, 4, 0, flags);
	mkw_mode(m, .flags = MKW_LIMITED);
	other = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	ASSERT_NE(MAP_FAILED, other);
	private = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		       m->fd, 0);
	ASSERT_NE(MAP_FAILED, private);

	EXPECT_EQ(0, mkw_write(m, 0, 1));
	EXPECT_EQ(0, mkw_violated(m, MKW_I8_LOCK_LOST));
	EXPECT_EQ(1, other[0]);

	EXPECT_EQ(0, mkw_read(m, 1));
	EXPECT_EQ(0, mkw_write(m, 1, 2));
	EXPECT_EQ(2, other[PAGE]);

	private[PAGE] = 3;
	private[2 * PAGE] = 4;
	EXPECT_EQ(1, private[0]);
	EXPECT_EQ(3, private[PAGE]);
	EXPECT_EQ(2, mkw_read(m, 1));
	EXPECT_EQ(0, mkw_read(m, 2));
	EXPECT_EQ(0, mkw_write(m, 2, 5));
	EXPECT_EQ(4, private[2 * PAGE]);
	EXPECT_EQ(5, other[2 * PAGE]);

	EXPECT_EQ(flags & MKW_NO_MKWRITE ? 0 : 3, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, mkw_violated(m, MKW_I8_LOCK_LOST));
	ASSERT_EQ(0, munmap((void *)other, 4 * PAGE));
	ASSERT_EQ(0, munmap((void *)private, 4 * PAGE));
	if (!flags || flags == MKW_UNLOCKED_FAULT)
		mkw_kept(_metadata, m, 0, 1);
}

TEST_F(contract, unlocked_fault)
{
	unlocked_fault(_metadata, &self->m, MKW_UNLOCKED_FAULT);
}

TEST_F(contract, unlocked_fault_no_handler)
{
	unlocked_fault(_metadata, &self->m, MKW_UNLOCKED_FAULT | MKW_NO_MKWRITE);
}

TEST_F(contract, driver_page)
{
	unlocked_fault(_metadata, &self->m, MKW_DRIVER);
}

TEST_F(contract, driver_page_no_handler)
{
	unlocked_fault(_metadata, &self->m, MKW_DRIVER | MKW_NO_MKWRITE);
}

TEST_F(contract, locked_fault)
{
	unlocked_fault(_metadata, &self->m, 0);
}

/* The store is made by the kernel. */
enum by { COPY_TO_USER, PROC_MEM, PIN };

static void by_kernel(struct __test_metadata *_metadata, struct mkw *m,
		      enum path path, enum by by, enum mkw_ret ret)
{
	__u64 addr;
	char c = 7;
	int mem;

	mkw_open(_metadata, m, 2, 0, MKW_INODE_LOCK);
	EXPECT_EQ(0, mkw_write(m, 0, 7));
	mkw_start(_metadata, m, 1, path);
	mkw_mode(m, .times = ret == MKW_LOCKED ? 0 : 2, .ret = ret,
		 .flags = MKW_LIMITED);
	addr = (uintptr_t)m->map + PAGE;
	switch (by) {
	case COPY_TO_USER:
		/* Under the lock of the inode, from the file to its mapping. */
		EXPECT_EQ(1, pread(m->fd, m->map + PAGE, 1, 0));
		break;
	case PROC_MEM:
		mem = open("/proc/self/mem", O_RDWR);
		ASSERT_LE(0, mem);
		EXPECT_EQ(1, pwrite(mem, &c, 1, addr));
		close(mem);
		break;
	case PIN:
		ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_PIN, &addr));
		ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_UNPIN));
		c = 0x5a;
		break;
	}
	EXPECT_EQ(ret == MKW_LOCKED ? 2 : 4, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(2, mkw_counts(m).tickets);
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 1, c);
	EXPECT_EQ(7, mkw_read(m, 0));
}

TEST_F(contract, copy_to_user_unmapped)
{
	by_kernel(_metadata, &self->m, UNMAPPED, COPY_TO_USER, MKW_LOCKED);
}

TEST_F(contract, copy_to_user_read_mapped)
{
	by_kernel(_metadata, &self->m, READ_MAPPED, COPY_TO_USER, MKW_LOCKED);
}

TEST_F(contract, copy_to_user_nopage)
{
	by_kernel(_metadata, &self->m, UNMAPPED, COPY_TO_USER, MKW_NOPAGE);
}

TEST_F(contract, proc_mem_unmapped)
{
	by_kernel(_metadata, &self->m, UNMAPPED, PROC_MEM, MKW_LOCKED);
}

TEST_F(contract, proc_mem_read_mapped)
{
	by_kernel(_metadata, &self->m, READ_MAPPED, PROC_MEM, MKW_LOCKED);
}

TEST_F(contract, proc_mem_nopage)
{
	by_kernel(_metadata, &self->m, READ_MAPPED, PROC_MEM, MKW_NOPAGE);
}

TEST_F(contract, pin_unmapped)
{
	by_kernel(_metadata, &self->m, UNMAPPED, PIN, MKW_LOCKED);
}

TEST_F(contract, pin_read_mapped)
{
	by_kernel(_metadata, &self->m, READ_MAPPED, PIN, MKW_LOCKED);
}

TEST_F(contract, pin_nopage)
{
	by_kernel(_metadata, &self->m, UNMAPPED, PIN, MKW_NOPAGE);
}

/*
 * Two stores to a page that is not mapped. The first one is in its handler when
 * the second one maps the page: it finds that, and keeps nothing of the folio.
 */
TEST_F(contract, rival_unmapped)
{
	struct mkw_writer w = { .m = &self->m };

	mkw_open(_metadata, &self->m, 1, 0, 0);
	mkw_start(_metadata, &self->m, 0, UNMAPPED);
	mkw_mode(&self->m, .times = 1, .adversary = MKW_RIVAL,
		 .when = MKW_AT_ENTRY);
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, mkw_writer_main, &w));
	while (!mkw_counts(&self->m).page_mkwrite)
		usleep(1000);
	self->m.map[1] = 2;
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(0, w.sig);
	EXPECT_EQ(2, mkw_counts(&self->m).page_mkwrite);
	EXPECT_EQ(2, self->m.map[1]);
	NO_VIOLATION(&self->m);
	/* Who keeps a reference keeps the folio in the cache. */
	mkw_kept(_metadata, &self->m, 0, 'w');
	EXPECT_EQ(2, self->m.map[1]);
}

/*
 * The page is unmapped while its handler waits: the store comes again, and the
 * folio of the first time is let go of.
 */
TEST_F(contract, unmapped_meanwhile)
{
	struct mkw_writer w = { .m = &self->m };
	struct mkw *m = &self->m;
	__u64 index = 0;

	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, READ_MAPPED);
	mkw_mode(m, .flags = MKW_LIMITED);
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_HOLD, &index));
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, mkw_writer_main, &w));
	while (!mkw_counts(m).page_mkwrite)
		usleep(1000);
	EXPECT_EQ(0, madvise(m->map, PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_RELEASE));
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(0, w.sig);
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, mkw_violated(m, MKW_I8_LOCK_LOST));
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 'w');
}

/* Nothing but the VM sets a file's time where there is no handler. */
static void time_set(struct __test_metadata *_metadata, struct mkw *m,
		     enum path path, unsigned int flags)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct stat st;

	mkw_open(_metadata, m, 1, 0, flags);
	mkw_start(_metadata, m, 0, path);
	ASSERT_EQ(0, futimens(m->fd, old));
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	ASSERT_EQ(0, fstat(m->fd, &st));
	EXPECT_LT(1000, st.st_mtim.tv_sec);
}

TEST_F(contract, time_set_unmapped)
{
	time_set(_metadata, &self->m, UNMAPPED, 0);
	mkw_umount(_metadata, &self->m);
	mkw_mount(_metadata, &self->m);
	time_set(_metadata, &self->m, UNMAPPED, MKW_NO_MKWRITE);
}

TEST_F(contract, time_set_read_mapped)
{
	time_set(_metadata, &self->m, READ_MAPPED, 0);
	mkw_umount(_metadata, &self->m);
	mkw_mount(_metadata, &self->m);
	time_set(_metadata, &self->m, READ_MAPPED, MKW_NO_MKWRITE);
}

/* Who dirties is asked whether there is too much of it. */
static void throttled(struct __test_metadata *_metadata, struct mkw *m,
		      enum path path, unsigned int flags)
{
	mkw_open(_metadata, m, 1, 0, flags);
	mkw_start(_metadata, m, 0, path);
	if (mkw_counts(m).throttled == ~0ULL)
		SKIP(return, "balance_dirty_pages_ratelimited() cannot be probed");
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	EXPECT_EQ(1, mkw_counts(m).throttled);
}

TEST_F(contract, throttled_unmapped)
{
	throttled(_metadata, &self->m, UNMAPPED, 0);
}

TEST_F(contract, throttled_read_mapped)
{
	throttled(_metadata, &self->m, READ_MAPPED, 0);
}

TEST_F(contract, throttled_no_handler)
{
	throttled(_metadata, &self->m, READ_MAPPED, MKW_NO_MKWRITE);
}

/* Writeback of what need not be stable keeps nobody from storing. */
TEST_F(contract, unstable_writeback)
{
	struct mkw *m = &self->m;
	__u64 index = 0;

	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, READ_MAPPED);
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_WRITEBACK, &index));
	EXPECT_EQ(0, write_or_alarm(_metadata, m, 0, 1));
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_RELEASE));
	NO_VIOLATION(m);
	mkw_kept(_metadata, m, 0, 1);
}

/*
 * A handler waits for a folio lock that is held, or for writeback: who is killed
 * there ends, also if the store is made by the kernel, and leaves no lock.
 */
static void killed(struct __test_metadata *_metadata, struct mkw *m,
		   unsigned int flags, unsigned long wait, bool by_kernel)
{
	int ready[2], go[2], status, tries = 1000;
	__u64 index = 0;
	pid_t child;
	char c = 0;

	mkw_open(_metadata, m, 1, 0, flags);
	mkw_start(_metadata, m, 0, UNMAPPED);
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		mkw_read(m, 0);
		if (write(ready[1], &c, 1) != 1 ||
		    read(go[0], by_kernel ? m->map : &c, 1) != 1)
			_exit(1);
		mkw_write(m, 0, 1);
		_exit(0);
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	ASSERT_EQ(0, ioctl(m->fd, wait, &index));
	ASSERT_EQ(1, write(go[1], &c, 1));
	while (!mkw_counts(m).page_mkwrite && --tries)
		usleep(10000);
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	ASSERT_EQ(0, kill(child, SIGKILL));
	for (tries = 800; tries && !waitpid(child, &status, WNOHANG); tries--)
		usleep(10000);
	EXPECT_LT(0, tries) TH_LOG("waits for the folio, and cannot be killed");
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_RELEASE));
	if (!tries)
		waitpid(child, &status, 0);
	EXPECT_TRUE(WIFSIGNALED(status));
	mkw_mode(m, .flags = MKW_LIMITED);
	EXPECT_EQ(0, mkw_write(m, 0, 2));
	NO_VIOLATION(m);
}

TEST_F(W6, killed_while_waiting)
{
	killed(_metadata, &self->m, 0, MKW_IOC_HOLD, false);
}

TEST_F(contract, killed_in_writeback)
{
	killed(_metadata, &self->m, MKW_STABLE, MKW_IOC_WRITEBACK, false);
}

TEST_F(contract, killed_in_the_kernel)
{
	killed(_metadata, &self->m, 0, MKW_IOC_HOLD, true);
}

MKW_HARNESS_MAIN
