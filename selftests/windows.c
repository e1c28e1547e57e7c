// SPDX-License-Identifier: GPL-2.0
/*
 * One fixture for each window of the ->page_mkwrite protocol that the VM can
 * have open (W1 to W5 and W9; W7 is folio.c, folio_batch.c and prepared.c). All
 * interleavings are forced; on a kernel that has the window open the test of
 * its name fails.
 */
#include <sys/resource.h>

#include "mkwrite.h"

/*
 * W1: VM_FAULT_RETRY from ->page_mkwrite is no success. The handler prepared
 * nothing, so nothing may be dirtied; the fault is to be tried again, and here
 * the second call prepares.
 */
MKW_FIXTURE(W1)

static void retry(struct __test_metadata *_metadata, struct mkw *m,
		  enum path path)
{
	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = 1, .ret = MKW_RETRY);

	mkw_expect_warning(_metadata);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	mkw_expect_end(_metadata);

	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	mkw_kept(_metadata, m, 0, 1);
}

TEST_F(W1, retry_unmapped)
{
	retry(_metadata, &self->m, UNMAPPED);
}

TEST_F(W1, retry_read_mapped)
{
	retry(_metadata, &self->m, READ_MAPPED);
}

/* The VM says whose handler it was. Once, so the tests above may have been it. */
TEST_F(W1, retry_warns)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	mkw_mode(&self->m, .times = 1, .ret = MKW_RETRY);
	mkw_expect_warning(_metadata);
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	mkw_expect_end(_metadata);
	EXPECT_TRUE(mkw_logged(_metadata, "mkw_page_mkwrite"));
}

/*
 * An error beside it is more specific and wins; the folio lock that comes with
 * both is nobody's but the VM's.
 */
static void retry_error(struct __test_metadata *_metadata, struct mkw *m,
			enum path path)
{
	mkw_open(_metadata, m, 2, 0, 0);
	mkw_start(_metadata, m, 0, path);
	mkw_expect_warning(_metadata);

	/* A kernel that is not ready for RETRY would never unlock the VMA. */
	mkw_mode(m, .times = 1, .ret = MKW_RETRY);
	EXPECT_EQ(0, mkw_write(m, 1, 1));
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	if (mkw_counts(m).page_mkwrite == 2) {
		mkw_mode(m, .times = 1, .ret = MKW_RETRY_ERROR,
			 .flags = MKW_LIMITED);
		EXPECT_EQ(SIGBUS, mkw_write(m, 0, 1));
		EXPECT_EQ(1, mkw_look(_metadata, m).writable);
		EXPECT_EQ(0, mkw_write(m, 0, 2));
		EXPECT_EQ(4, mkw_counts(m).page_mkwrite);
		EXPECT_EQ(0, mkw_violated(m, MKW_I8_LOCK_LOST));
		EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
		mkw_kept(_metadata, m, 0, 2);
	}
	mkw_expect_end(_metadata);
}

TEST_F(W1, retry_error_unmapped)
{
	retry_error(_metadata, &self->m, UNMAPPED);
}

TEST_F(W1, retry_error_read_mapped)
{
	retry_error(_metadata, &self->m, READ_MAPPED);
}

/*
 * W2: a shared write fault on a folio that is cached and uptodate has nothing
 * to lock it for before ->page_mkwrite: one lock cycle instead of two.
 */
MKW_FIXTURE(W2)

TEST_F(W2, unlocked_when_cached)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	mkw_start(_metadata, &self->m, 0, UNMAPPED);
	if (mkw_counts(&self->m).unlocked == ~0ULL)
		SKIP(return, "filemap_fault() cannot be probed");
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	EXPECT_EQ(1, mkw_counts(&self->m).filemap_fault);
	EXPECT_EQ(1, mkw_counts(&self->m).unlocked);
	EXPECT_EQ(1, mkw_counts(&self->m).page_mkwrite);
	mkw_kept(_metadata, &self->m, 0, 1);
}

/* A ->fault that calls filemap_fault() gains as well: the VM adds no lock. */
TEST_F(W2, own_fault_unlocked)
{
	mkw_open(_metadata, &self->m, 1, 0, MKW_OWN_FAULT);
	mkw_start(_metadata, &self->m, 0, UNMAPPED);
	if (mkw_counts(&self->m).unlocks == ~0ULL)
		SKIP(return, "folio_unlock() cannot be probed");
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	EXPECT_EQ(1, mkw_counts(&self->m).fault);
	EXPECT_EQ(1, mkw_counts(&self->m).page_mkwrite);
	EXPECT_EQ(0, mkw_counts(&self->m).unlocks);
	mkw_kept(_metadata, &self->m, 0, 1);
}

/* Nor one that has always returned it unlocked: to lock it gains nothing. */
TEST_F(W2, unlocked_fault_called_once)
{
	mkw_open(_metadata, &self->m, 1, 0, MKW_UNLOCKED_FAULT);
	mkw_mode(&self->m, .flags = MKW_LIMITED);
	mkw_start(_metadata, &self->m, 0, UNMAPPED);
	if (mkw_counts(&self->m).unlocked == ~0ULL)
		SKIP(return, "filemap_fault() cannot be probed");
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	EXPECT_EQ(1, mkw_counts(&self->m).unlocked);
	EXPECT_EQ(1, mkw_counts(&self->m).page_mkwrite);
	mkw_kept(_metadata, &self->m, 0, 1);
}

/* What is to be read first is; the store goes on from there. */
TEST_F_TIMEOUT(W2, not_uptodate_is_read, 10)
{
	struct mkw *m = &self->m;
	__u32 what = MKW_NOT_UPTODATE;

	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, UNMAPPED);
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_MARK, &what));
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(2, mkw_counts(m).reads);
	mkw_kept(_metadata, m, 0, 1);
}

/* Readahead is to begin here: the store has it begin, and goes on then. */
TEST_F(W2, readahead_mark_reads_ahead)
{
	struct mkw *m = &self->m;
	__u32 what = MKW_READAHEAD;

	mkw_open(_metadata, m, 8, 0, 0);
	mkw_start(_metadata, m, 0, UNMAPPED);
	EXPECT_EQ(1, mkw_counts(m).reads);
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_MARK, &what));
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	EXPECT_LT(1, mkw_counts(m).reads);
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(1, mkw_read(m, 0));
}

/* The misses that switch readahead off are counted down by every hit. */
TEST_F(W2, hit_counts)
{
	struct mkw *m = &self->m;
	__u32 what = MKW_MISSES;

	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, UNMAPPED);
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_MARK, &what));
	EXPECT_EQ(10, mkw_counts(m).mmap_miss);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	EXPECT_EQ(9, mkw_counts(m).mmap_miss);
}

/* The handler returns NOPAGE here: a VM that calls only the handler would loop. */
TEST_F_TIMEOUT(W2, beyond_eof_of_cached_folio, 10)
{
	mkw_open(_metadata, &self->m, 4, 2, 0);
	ASSERT_EQ(0, ftruncate(self->m.fd, PAGE + 100));
	mkw_start(_metadata, &self->m, 0, UNMAPPED);
	EXPECT_EQ(SIGBUS, mkw_write(&self->m, 2, 1));
	EXPECT_EQ(0, mkw_counts(&self->m).page_mkwrite);
	EXPECT_EQ(0, mkw_write(&self->m, 1, 1));
	EXPECT_EQ(1, mkw_counts(&self->m).reads);
	mkw_kept(_metadata, &self->m, 1, 1);
}

/* Somebody holds the folio: filemap_fault() waits for it without mmap_lock. */
TEST_F(W2, locked_folio_waits_in_fault)
{
	struct mkw_collide collide;

	mkw_open(_metadata, &self->m, 1, 0, 0);
	collide = mkw_collide(_metadata, &self->m, 0, UNMAPPED);
	EXPECT_EQ(0, collide.entered);
	EXPECT_EQ(0, collide.writable);
	EXPECT_EQ(1, mkw_counts(&self->m).page_mkwrite);
	mkw_kept(_metadata, &self->m, 0, 'w');
}

/* What ->fault says of the fault is the fault's: here that it was a major one. */
TEST_F(W2, major_fault_counted)
{
	struct rusage before, after;
	struct mkw *m = &self->m;

	mkw_open(_metadata, m, 1, 0, MKW_OWN_FAULT | MKW_MAJOR);
	mkw_start(_metadata, m, 0, UNMAPPED);
	ASSERT_EQ(0, getrusage(RUSAGE_THREAD, &before));
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	ASSERT_EQ(0, getrusage(RUSAGE_THREAD, &after));
	EXPECT_EQ(1, after.ru_majflt - before.ru_majflt);
	EXPECT_EQ(1, mkw_counts(m).fault);
	mkw_kept(_metadata, m, 0, 1);
}

/*
 * The first sentence of it all: the folio is locked until it is dirty. A handler
 * that dirties it itself would hide that the VM does it too late.
 */
static void lock_until_dirty(struct __test_metadata *_metadata, struct mkw *m,
			     enum path path, unsigned int setup)
{
	mkw_open(_metadata, m, 1, 0, setup);
	mkw_mode(m, .flags = MKW_LEAVE_CLEAN);
	mkw_start(_metadata, m, 0, path);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	EXPECT_EQ(0, mkw_violated(m, MKW_I6_UNLOCKED_DIRTY));
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_CHECK));
	mkw_kept(_metadata, m, 0, 1);
}

TEST_F(W2, lock_until_dirty_unmapped)
{
	lock_until_dirty(_metadata, &self->m, UNMAPPED, 0);
}

TEST_F(W2, lock_until_dirty_read_mapped)
{
	lock_until_dirty(_metadata, &self->m, READ_MAPPED, 0);
}

TEST_F(W2, lock_until_dirty_no_handler)
{
	lock_until_dirty(_metadata, &self->m, UNMAPPED,
			 MKW_NO_MKWRITE | MKW_OWN_FAULT);
}

/*
 * The lock that ->page_mkwrite returns with is kept until the PTE is writable
 * and the folio dirty. An adversary is first in line for it and cleans or
 * removes the folio the moment it is unlocked. This is the window of
 * 2009, closed on 6.12.
 */
static void lock_kept(struct __test_metadata *_metadata, struct mkw *m,
		      enum path path, enum mkw_adversary adversary)
{
	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = 1, .adversary = adversary, .when = MKW_AT_UNLOCK);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_CHECK));
	EXPECT_EQ(0, mkw_write(m, 0, 2));
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 0, 2);
}

TEST_F(W2, lock_kept_clean_unmapped)
{
	lock_kept(_metadata, &self->m, UNMAPPED, MKW_CLEAN);
}

TEST_F(W2, lock_kept_clean_read_mapped)
{
	lock_kept(_metadata, &self->m, READ_MAPPED, MKW_CLEAN);
}

TEST_F(W2, lock_kept_remove_unmapped)
{
	lock_kept(_metadata, &self->m, UNMAPPED, MKW_INVALIDATE);
}

/*
 * W3: a handler that returns 0 has let go of the folio: whatever it prepared
 * may be gone when the VM takes the lock. The write may fail, it must not
 * dirty what is not prepared.
 *
 * The VM's recheck of folio->mapping on 6.12 sees that the folio was removed
 * (refilled, invalidated), but not that it was cleaned. A page that was mapped
 * is left to its PTE: the removal took it.
 */
MKW_FIXTURE(W3)

static void unlocked(struct __test_metadata *_metadata, struct mkw *m,
		     enum path path, enum mkw_adversary adversary)
{
	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = 1, .ret = MKW_UNLOCKED, .adversary = adversary,
		 .when = MKW_AT_RETURN);
	mkw_expect_warning(_metadata);
	/* Its result is up to the kernel, as long as it is safe. */
	mkw_write(m, 0, 1);
	mkw_expect_end(_metadata);
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_CHECK));

	EXPECT_EQ(0, mkw_write(m, 0, 2));
	mkw_kept(_metadata, m, 0, 2);
}

TEST_F(W3, cleaned_unmapped)
{
	unlocked(_metadata, &self->m, UNMAPPED, MKW_CLEAN);
}

TEST_F(W3, cleaned_read_mapped)
{
	unlocked(_metadata, &self->m, READ_MAPPED, MKW_CLEAN);
}

TEST_F(W3, refilled_unmapped)
{
	unlocked(_metadata, &self->m, UNMAPPED, MKW_REFILL);
}

TEST_F(W3, invalidated_unmapped)
{
	unlocked(_metadata, &self->m, UNMAPPED, MKW_INVALIDATE);
}

/* To ask again would not end, if the handler says the same each time. */
TEST_F(W3, zero_is_sigbus)
{
	struct mkw *m = &self->m;

	mkw_open(_metadata, m, 1, 0, 0);
	mkw_start(_metadata, m, 0, READ_MAPPED);
	mkw_mode(m, .times = 3, .ret = MKW_UNLOCKED);
	mkw_expect_warning(_metadata);
	EXPECT_EQ(SIGBUS, mkw_write(m, 0, 1));
	mkw_expect_end(_metadata);
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	EXPECT_TRUE(mkw_logged(_metadata, "but no locked folio"));

	mkw_mode(m, .times = 0);
	EXPECT_EQ(0, mkw_write(m, 0, 2));
	mkw_kept(_metadata, m, 0, 2);
}

/*
 * W4: do_page_mkwrite() gives vmf->flags back, also for a swap file. Nothing
 * that a user sees is known to depend on it, hence the probe in the module.
 */
MKW_FIXTURE(W4)

static void flags_restored(struct __test_metadata *_metadata, struct mkw *m,
			   enum path path)
{
	struct mkw_mode swapfile = { .flags = MKW_SWAPFILE };

	mkw_open(_metadata, m, 2, 0, 0);
	if (mkw_counts(m).flags_lost == ~0ULL)
		SKIP(return, "do_page_mkwrite() cannot be probed");

	/* Without a swap file the flags have always come back, and been those two. */
	EXPECT_EQ(0, mkw_write(m, 1, 1));
	EXPECT_EQ(0, mkw_counts(m).flags_lost);

	mkw_start(_metadata, m, 0, path);
	if (ioctl(m->fd, MKW_IOC_MODE, &swapfile)) {
		ASSERT_EQ(EOPNOTSUPP, errno);
		SKIP(return, "no swap files without CONFIG_SWAP");
	}
	EXPECT_EQ(SIGBUS, mkw_write(m, 0, 1));
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, mkw_counts(m).flags_lost);
}

TEST_F(W4, swapfile_unmapped)
{
	flags_restored(_metadata, &self->m, UNMAPPED);
}

TEST_F(W4, swapfile_read_mapped)
{
	flags_restored(_metadata, &self->m, READ_MAPPED);
}

/*
 * W5: without ->page_mkwrite, too, the PTE becomes writable under the folio
 * lock. Who holds the lock has to be able to rely on nobody writing through
 * a PTE that was write-protected under it.
 */
MKW_FIXTURE(W5)

TEST_F(W5, lock_first_read_mapped)
{
	struct mkw_collide collide;

	mkw_open(_metadata, &self->m, 1, 0, MKW_NO_MKWRITE);
	collide = mkw_collide(_metadata, &self->m, 0, READ_MAPPED);
	EXPECT_EQ(0, collide.entered);
	EXPECT_EQ(0, collide.writable);
	EXPECT_EQ('w', mkw_read(&self->m, 0));
}

/*
 * W9: whoever has written to a page through a pin marks its folio dirty, with no
 * ->page_mkwrite if it was cleaned meanwhile. So ->dirty_folio has to hear of each
 * such folio, and writeback prepares it then, or reports an error.
 */
MKW_FIXTURE(W9)

/* Pinned for writing, clean and write-protected. */
static void pin_clean(struct __test_metadata *_metadata, struct mkw *m,
		      unsigned long page)
{
	__u64 addr = (uintptr_t)m->map + page * PAGE;

	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_PIN, &addr));
	EXPECT_EQ(1, mkw_counts(m).tickets);
	ASSERT_EQ(0, msync(m->map, m->pages * PAGE, MS_SYNC));
	EXPECT_EQ(0, mkw_counts(m).tickets);
}

TEST_F(W9, pinned_dirtied)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	pin_clean(_metadata, &self->m, 0);
	ASSERT_EQ(0, ioctl(self->m.fd, MKW_IOC_UNPIN));
	EXPECT_EQ(0, mkw_violated(&self->m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, &self->m, 0, 0x5a);
}

/* Dirty is what a store has prepared, one page of the folio; another is pinned. */
TEST_F(W9, pinned_part)
{
	mkw_open(_metadata, &self->m, 4, 2, 0);
	mkw_start(_metadata, &self->m, 2, UNMAPPED);
	pin_clean(_metadata, &self->m, 2);
	ASSERT_EQ(0, mkw_write(&self->m, 0, 'w'));
	EXPECT_EQ(1, mkw_counts(&self->m).tickets);
	ASSERT_EQ(0, ioctl(self->m.fd, MKW_IOC_UNPIN));
	EXPECT_EQ(0, mkw_violated(&self->m, MKW_I2_CLEAN_CHANGED));
	mkw_kept(_metadata, &self->m, 2, 0x5a);
	EXPECT_EQ('w', mkw_read(&self->m, 0));
	EXPECT_EQ(0, mkw_violated(&self->m, MKW_I2_CLEAN_CHANGED));
}

/* The pin lasts longer than several writebacks. */
TEST_F(W9, pinned_twice)
{
	int i;

	mkw_open(_metadata, &self->m, 1, 0, 0);
	pin_clean(_metadata, &self->m, 0);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, mkw_write(&self->m, 0, 'a' + i));
		ASSERT_EQ(0, msync(self->m.map, PAGE, MS_SYNC));
	}
	ASSERT_EQ(0, ioctl(self->m.fd, MKW_IOC_UNPIN));
	mkw_kept(_metadata, &self->m, 0, 0x5a);
}

/* What cannot be prepared is reported, once. */
TEST_F(W9, pinned_no_space)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	pin_clean(_metadata, &self->m, 0);
	mkw_mode(&self->m, .flags = MKW_NO_SPACE);
	ASSERT_EQ(0, ioctl(self->m.fd, MKW_IOC_UNPIN));
	EXPECT_EQ(-1, msync(self->m.map, PAGE, MS_SYNC));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(0, msync(self->m.map, PAGE, MS_SYNC));
	EXPECT_EQ(0, mkw_counts(&self->m).tickets);
}

/* There is nobody to tell any more. */
TEST_F(W9, pinned_truncated)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	pin_clean(_metadata, &self->m, 0);
	ASSERT_EQ(0, ftruncate(self->m.fd, 0));
	ASSERT_EQ(0, ftruncate(self->m.fd, PAGE));
	ASSERT_EQ(0, ioctl(self->m.fd, MKW_IOC_UNPIN));
	EXPECT_EQ(0, mkw_violated(&self->m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, &self->m, 0, 0);
}

MKW_HARNESS_MAIN
