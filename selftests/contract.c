// SPDX-License-Identifier: GPL-2.0
/*
 * W6: what a write fault does about a folio that changes under it, about the
 * end of the file, and about a handler that fails.
 */
#include "mkwrite.h"

MKW_FIXTURE(W6)

#define NO_VIOLATION(m) do { \
	EXPECT_EQ(0, ioctl((m)->fd, MKW_IOC_CHECK)); \
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET)); \
	EXPECT_EQ(0, mkw_violated(m, MKW_I2_CLEAN_CHANGED)); \
	EXPECT_EQ(0, mkw_violated(m, MKW_I3_BALANCE)); \
} while (0)

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

TEST_F(W6, truncated_unmapped)
{
	before_lock(_metadata, &self->m, UNMAPPED, MKW_TRUNCATE);
}

TEST_F(W6, truncated_read_mapped)
{
	before_lock(_metadata, &self->m, READ_MAPPED, MKW_TRUNCATE);
}

TEST_F(W6, refilled_unmapped)
{
	before_lock(_metadata, &self->m, UNMAPPED, MKW_REFILL);
}

TEST_F(W6, refilled_read_mapped)
{
	before_lock(_metadata, &self->m, READ_MAPPED, MKW_REFILL);
}

TEST_F(W6, invalidated_unmapped)
{
	before_lock(_metadata, &self->m, UNMAPPED, MKW_INVALIDATE);
}

TEST_F(W6, invalidated_read_mapped)
{
	before_lock(_metadata, &self->m, READ_MAPPED, MKW_INVALIDATE);
}

/*
 * The file ends inside of the folio before the handler has its lock. The folio
 * stays, as it is dirty, but the page that faults is beyond the end of the file.
 */
static void cut(struct __test_metadata *_metadata, struct mkw *m, enum path path)
{
	mkw_open(_metadata, m, 4, 2, 0);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
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

TEST_F(W6, cut_read_mapped)
{
	cut(_metadata, &self->m, READ_MAPPED);
}

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

TEST_F(W6, shrunk_unmapped)
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

TEST_F(W6, stale_unmapped)
{
	stale(_metadata, &self->m, UNMAPPED);
}

TEST_F(W6, stale_read_mapped)
{
	stale(_metadata, &self->m, READ_MAPPED);
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

TEST_F(W6, cleaned_unmapped)
{
	cleaned(_metadata, &self->m, UNMAPPED);
}

TEST_F(W6, cleaned_read_mapped)
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

TEST_F(W6, sigbus_unmapped)
{
	fails(_metadata, &self->m, UNMAPPED, MKW_SIGBUS, 1);
}

TEST_F(W6, sigbus_read_mapped)
{
	fails(_metadata, &self->m, READ_MAPPED, MKW_SIGBUS, 1);
}

TEST_F(W6, nopage_unmapped)
{
	fails(_metadata, &self->m, UNMAPPED, MKW_NOPAGE, 3);
}

TEST_F(W6, nopage_read_mapped)
{
	fails(_metadata, &self->m, READ_MAPPED, MKW_NOPAGE, 3);
}

TEST_F(W6, oom_unmapped)
{
	fails(_metadata, &self->m, UNMAPPED, MKW_OOM, 1);
}

TEST_F(W6, oom_read_mapped)
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

TEST_F(W6, last_page_unmapped)
{
	last_page(_metadata, &self->m, UNMAPPED);
}

TEST_F(W6, last_page_read_mapped)
{
	last_page(_metadata, &self->m, READ_MAPPED);
}

/* Truncation takes the writable PTEs, and the tickets, of what it removes. */
TEST_F(W6, truncate_takes_all)
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

TEST_HARNESS_MAIN
