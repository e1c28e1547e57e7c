// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle's own tests: a handler that keeps the rules gives no violation,
 * and every violation is counted when it is there.
 */
#include "mkwrite.h"

FIXTURE(oracle) { struct mkw m; };
FIXTURE_SETUP(oracle) { mkw_mount(_metadata, &self->m); }
FIXTURE_TEARDOWN(oracle) { mkw_umount(_metadata, &self->m); }

static void follows_rules(struct __test_metadata *_metadata, struct mkw *m,
			  enum path path)
{
	struct mkw_counts counts;
	unsigned long i;

	mkw_open(_metadata, m, 4, 0, 0);
	mkw_start(_metadata, m, 2, path);

	EXPECT_EQ(0, mkw_write(m, 2, 1));
	EXPECT_EQ(0, mkw_write(m, 2, 2));
	counts = mkw_counts(m);
	EXPECT_EQ(1, counts.page_mkwrite);
	EXPECT_EQ(1, counts.tickets);
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_CHECK));
	EXPECT_EQ(0, msync(m->map, m->pages * PAGE, MS_SYNC));
	EXPECT_EQ(0, mkw_counts(m).tickets);

	/* Written back is write-protected: the filesystem is asked again. */
	EXPECT_EQ(0, mkw_write(m, 2, 3));
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	mkw_kept(_metadata, m, 2, 3);

	/* Dirty at the unmounting, too. */
	EXPECT_EQ(0, mkw_write(m, 2, 4));
	EXPECT_EQ(0, mkw_write(m, 3, 4));
	EXPECT_EQ(2, mkw_counts(m).tickets);
	mkw_umount(_metadata, m);
	for (i = 0; i < MKW_VIOLATIONS; i++)
		EXPECT_EQ(0, mkw_final(_metadata, i));
	mkw_mount(_metadata, m);
}

TEST_F(oracle, rules_kept_unmapped)
{
	follows_rules(_metadata, &self->m, UNMAPPED);
}

TEST_F(oracle, rules_kept_read_mapped)
{
	follows_rules(_metadata, &self->m, READ_MAPPED);
}

/* Breaks one invariant by the module's own hand. */
static void break_it(struct __test_metadata *_metadata, struct mkw *m,
		     enum mkw_violation violation)
{
	__u32 what = violation;

	EXPECT_EQ(0, mkw_violated(m, violation));
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_BREAK, &what));
}

TEST_F(oracle, sees_missing_ticket)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	mkw_start(_metadata, &self->m, 0, READ_MAPPED);
	break_it(_metadata, &self->m, MKW_I1_NO_TICKET);
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I1_NO_TICKET));
}

TEST_F(oracle, sees_clean_changed_at_write)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	mkw_start(_metadata, &self->m, 0, READ_MAPPED);
	break_it(_metadata, &self->m, MKW_I2_CLEAN_CHANGED);
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I2_CLEAN_CHANGED));
}

TEST_F(oracle, sees_clean_changed_after_writeback)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	EXPECT_EQ(0, msync(self->m.map, PAGE, MS_SYNC));
	break_it(_metadata, &self->m, MKW_I2_CLEAN_CHANGED);
	mkw_forget(_metadata, &self->m);
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I2_CLEAN_CHANGED));
}

TEST_F(oracle, sees_clean_changed_at_unmount)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	mkw_start(_metadata, &self->m, 0, UNMAPPED);
	break_it(_metadata, &self->m, MKW_I2_CLEAN_CHANGED);
	mkw_umount(_metadata, &self->m);
	EXPECT_LE(1, mkw_final(_metadata, MKW_I2_CLEAN_CHANGED));
	mkw_mount(_metadata, &self->m);
}

/* One page of a folio was prepared, another one was written to. */
TEST_F(oracle, sees_unprepared_page)
{
	mkw_open(_metadata, &self->m, 4, 2, 0);
	mkw_start(_metadata, &self->m, 0, UNMAPPED);
	EXPECT_EQ(0, mkw_write(&self->m, 1, 1));
	EXPECT_EQ(0, msync(self->m.map, 4 * PAGE, MS_SYNC));
	EXPECT_EQ(0, mkw_violated(&self->m, MKW_I2_CLEAN_CHANGED));

	EXPECT_EQ(0, mkw_write(&self->m, 1, 2));
	break_it(_metadata, &self->m, MKW_I2_CLEAN_CHANGED);
	EXPECT_EQ(0, msync(self->m.map, 4 * PAGE, MS_SYNC));
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I2_CLEAN_CHANGED));
}

TEST_F(oracle, sees_imbalance)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	break_it(_metadata, &self->m, MKW_I3_BALANCE);
	EXPECT_EQ(0, ioctl(self->m.fd, MKW_IOC_CHECK));
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I3_BALANCE));
}

TEST_F(oracle, sees_writable_beyond_eof)
{
	struct mkw_look look;

	mkw_open(_metadata, &self->m, 1, 0, 0);
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	look = mkw_look(_metadata, &self->m);
	EXPECT_EQ(1, look.writable);
	EXPECT_EQ(0, look.beyond);
	break_it(_metadata, &self->m, MKW_I4_BEYOND_EOF);
	look = mkw_look(_metadata, &self->m);
	EXPECT_EQ(1, look.beyond);
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I4_BEYOND_EOF));
}

TEST_F(oracle, sees_frozen_dirty)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	mkw_start(_metadata, &self->m, 0, READ_MAPPED);
	ASSERT_EQ(0, ioctl(self->m.fd, FIFREEZE, 0));
	break_it(_metadata, &self->m, MKW_I5_FROZEN_DIRTY);
	EXPECT_EQ(0, ioctl(self->m.fd, FITHAW, 0));
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I5_FROZEN_DIRTY));
}

TEST_F(oracle, sees_unlocked_dirty)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	break_it(_metadata, &self->m, MKW_I6_UNLOCKED_DIRTY);
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I6_UNLOCKED_DIRTY));
}

/* The handler's lock is held by somebody who does not let go of it. */
TEST_F(oracle, sees_lost_lock)
{
	__u64 index = 0;

	mkw_open(_metadata, &self->m, 1, 0, 0);
	mkw_start(_metadata, &self->m, 0, READ_MAPPED);
	mkw_mode(&self->m, .flags = MKW_LIMITED);
	ASSERT_EQ(0, ioctl(self->m.fd, MKW_IOC_LOSE, &index));
	EXPECT_EQ(SIGBUS, mkw_write(&self->m, 0, 1));
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I8_LOCK_LOST));
}

/* W8 as it is in a handler that leaves the folio clean when it may be frozen. */
TEST_F(oracle, sees_freeze_in_gap)
{
	mkw_open(_metadata, &self->m, 1, 0, 0);
	mkw_mode(&self->m, .times = 1, .adversary = MKW_FREEZE,
		 .when = MKW_AT_RETURN, .flags = MKW_LEAVE_CLEAN);
	EXPECT_EQ(0, mkw_write(&self->m, 0, 1));
	EXPECT_EQ(1, mkw_counts(&self->m).frozen);
	EXPECT_EQ(0, ioctl(self->m.fd, FITHAW, 0));
	EXPECT_EQ(1, mkw_violated(&self->m, MKW_I5_FROZEN_DIRTY));
}

/* The probe of W2 and W5 tells a wait for the lock from a call. */
TEST_F(oracle, sees_call_before_lock)
{
	struct mkw_collide collide;

	mkw_open(_metadata, &self->m, 1, 0, 0);
	collide = mkw_collide(_metadata, &self->m, 0, READ_MAPPED);
	EXPECT_EQ(1, collide.entered);
	EXPECT_EQ(0, collide.writable);
}

MKW_HARNESS_MAIN
