// SPDX-License-Identifier: GPL-2.0
/*
 * W7 and W10, how far: what ->page_mkwrite has prepared becomes writable (W7),
 * and nothing else does (W10), whatever i_size is meanwhile. Each test begins
 * with a page that is not mapped, and with one that is mapped read-only as all
 * the others are.
 */
#include "mkwrite.h"

#define HUGE_ORDER	9

MKW_PATHS(W6)
MKW_PATHS(W7)
MKW_PATHS(W10)
MKW_PATHS(contract)

/* Cached as one folio of 1 << @order pages; the file ends after @end of them. */
static void cut_short(struct __test_metadata *_metadata, struct mkw *m,
		      enum path path, unsigned int order, __u64 end)
{
	unsigned long nr = 1UL << order, page;

	mkw_open(_metadata, m, 2 * nr, order, 0);
	for (page = 0; page < nr; page++)
		mkw_start(_metadata, m, page, path);
	ASSERT_EQ(1, mkw_counts(m).reads);
	/* As a server's news do it: what is mapped beyond the end stays so. */
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_SIZE, &end));
}

static unsigned long file_pages(struct __test_metadata *_metadata, struct mkw *m)
{
	struct stat st;

	ASSERT_EQ(0, fstat(m->fd, &st));
	return st.st_size / PAGE;
}

/*
 * The file grows at the point that @when says, from @end to all of the folio.
 * @writable: what the first store makes so. A store behind that faults and is
 * kept.
 */
static void grow(struct __test_metadata *_metadata, struct mkw *m,
		 enum path path, unsigned int order, unsigned long end,
		 enum mkw_when when, unsigned long writable)
{
	unsigned long nr = 1UL << order;

	cut_short(_metadata, m, path, order, end);
	mkw_mode(m, .times = 1, .adversary = MKW_GROW, .when = when,
		 .flags = MKW_WHOLE_FOLIO, .pages = nr);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	while (file_pages(_metadata, m) != nr)
		usleep(1000);	/* AT_UNLOCK: the time limit ends it */
	EXPECT_EQ(writable, mkw_look(_metadata, m).writable);
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);

	EXPECT_EQ(0, mkw_write(m, nr - 1, 2));
	EXPECT_EQ(writable < nr ? 2 : 1, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(nr, mkw_look(_metadata, m).writable);
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_CHECK));
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 0, 1);
	EXPECT_EQ(2, mkw_read(m, nr - 1));
}

TEST_F(W7, grown_before_look)
{
	grow(_metadata, &self->m, variant->path, 4, 6, MKW_AT_ENTRY, 16);
}

TEST_F(W7, grown_after_look)
{
	grow(_metadata, &self->m, variant->path, 4, 6, MKW_AT_PREPARED, 6);
}

TEST_F(W7, grown_after_ptes)
{
	grow(_metadata, &self->m, variant->path, 4, 6, MKW_AT_UNLOCK, 6);
}

TEST_F(W7, grown_after_look_huge)
{
	grow(_metadata, &self->m, variant->path, HUGE_ORDER, 300, MKW_AT_PREPARED,
	     300);
}

TEST_F(W7, grown_after_ptes_huge)
{
	grow(_metadata, &self->m, variant->path, HUGE_ORDER, 300, MKW_AT_UNLOCK, 300);
}

/* With a folio for each page nothing of it can matter: green on stock. */
static void grow_small(struct __test_metadata *_metadata, struct mkw *m,
		       enum path path, enum mkw_when when)
{
	mkw_open(_metadata, m, 2, 0, 0);
	ASSERT_EQ(0, ftruncate(m->fd, PAGE));
	mkw_start(_metadata, m, 0, path);
	mkw_mode(m, .times = 1, .adversary = MKW_GROW, .when = when,
		 .flags = MKW_WHOLE_FOLIO, .pages = 2);
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	while (file_pages(_metadata, m) != 2)
		usleep(1000);
	EXPECT_EQ(1, mkw_look(_metadata, m).writable);
	EXPECT_EQ(0, mkw_write(m, 1, 2));
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 0, 1);
	EXPECT_EQ(2, mkw_read(m, 1));
}

TEST_F(contract, grown_before_look_small)
{
	grow_small(_metadata, &self->m, variant->path, MKW_AT_ENTRY);
}

/* All of it is prepared then, and stock maps it by a PMD, too. */
TEST_F(contract, grown_before_look_huge)
{
	grow(_metadata, &self->m, variant->path, HUGE_ORDER, 300, MKW_AT_ENTRY, 512);
}

TEST_F(contract, grown_after_look_small)
{
	grow_small(_metadata, &self->m, variant->path, MKW_AT_PREPARED);
}

TEST_F(contract, grown_after_ptes_small)
{
	grow_small(_metadata, &self->m, variant->path, MKW_AT_UNLOCK);
}

/* A handler that prepared half of the folio: the other half asks again. */
static void half(struct __test_metadata *_metadata, struct mkw *m,
		 enum path path, unsigned int order)
{
	unsigned long nr = 1UL << order, page;

	mkw_open(_metadata, m, nr, order, 0);
	mkw_mode(m, .flags = MKW_HALF_FOLIO);
	for (page = 0; page < nr; page++)
		mkw_start(_metadata, m, page, path);
	EXPECT_EQ(0, mkw_write(m, 1, 1));
	EXPECT_EQ(nr / 2, mkw_look(_metadata, m).writable);
	EXPECT_EQ(0, mkw_smaps(_metadata, m, "FilePmdMapped"));
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	EXPECT_EQ(0, mkw_write(m, nr - 1, 2));
	EXPECT_EQ(nr, mkw_look(_metadata, m).writable);
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_CHECK));
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 1, 1);
	EXPECT_EQ(2, mkw_read(m, nr - 1));
}

TEST_F(W7, half_folio)
{
	half(_metadata, &self->m, variant->path, 4);
}

TEST_F(W7, half_folio_huge)
{
	half(_metadata, &self->m, variant->path, HUGE_ORDER);
}

/*
 * The first store has [0, @end) of the folio prepared and makes any number of
 * these pages writable, but none behind: a store there faults, and is kept.
 */
static void unprepared(struct __test_metadata *_metadata, struct mkw *m,
		       unsigned long nr, unsigned long end)
{
	struct mkw_look behind = {
		.addr	= (uintptr_t)m->map + end * PAGE,
		.index	= end,
		.nr	= nr - end,
	};

	EXPECT_EQ(0, mkw_write(m, 0, 1));
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_LOOK, &behind));
	EXPECT_EQ(0, behind.writable);

	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	EXPECT_EQ(0, mkw_write(m, nr - 1, 2));
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_CHECK));
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	EXPECT_EQ(0, mkw_violated(m, MKW_I2_CLEAN_CHANGED));
	mkw_kept(_metadata, m, 0, 1);
	EXPECT_EQ(2, mkw_read(m, nr - 1));
}

static void unprepared_grown(struct __test_metadata *_metadata, struct mkw *m,
			     enum path path, unsigned int order,
			     unsigned long end)
{
	unsigned long nr = 1UL << order;

	cut_short(_metadata, m, path, order, end);
	mkw_mode(m, .times = 1, .adversary = MKW_GROW, .when = MKW_AT_PREPARED,
		 .flags = MKW_WHOLE_FOLIO, .pages = nr);
	unprepared(_metadata, m, nr, end);
}

static void unprepared_half(struct __test_metadata *_metadata, struct mkw *m,
			    enum path path, unsigned int order)
{
	unsigned long nr = 1UL << order, page;

	mkw_open(_metadata, m, nr, order, 0);
	for (page = 0; page < nr; page++)
		mkw_start(_metadata, m, page, path);
	mkw_mode(m, .flags = MKW_HALF_FOLIO);
	unprepared(_metadata, m, nr, nr / 2);
}

TEST_F(W10, grown_after_look)
{
	unprepared_grown(_metadata, &self->m, variant->path, 4, 6);
}

TEST_F(W10, grown_after_look_huge)
{
	unprepared_grown(_metadata, &self->m, variant->path, HUGE_ORDER, 300);
}

TEST_F(W10, half_folio)
{
	unprepared_half(_metadata, &self->m, variant->path, 4);
}

TEST_F(W10, half_folio_huge)
{
	unprepared_half(_metadata, &self->m, variant->path, HUGE_ORDER);
}

/* Bad memory in a neighbour: the range must not map it. */
TEST_F(W7, poisoned_neighbour)
{
	struct mkw_look look = { .nr = 1 };
	struct mkw *m = &self->m;
	__u32 what = MKW_POISON;
	unsigned long page;

	mkw_open(_metadata, m, 16, 4, 0);
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	for (page = 0; page < 16; page++)
		if (page != MKW_POISONED)
			mkw_start(_metadata, m, page, variant->path);
	/* Fault-around has mapped it, too, as long as it was good. */
	ASSERT_EQ(0, madvise(m->map + MKW_POISONED * PAGE, PAGE, MADV_DONTNEED));
	if (ioctl(m->fd, MKW_IOC_MARK, &what)) {
		ASSERT_EQ(EOPNOTSUPP, errno);
		SKIP(return, "needs CONFIG_MEMORY_FAILURE");
	}
	EXPECT_EQ(0, mkw_write(m, 3, 1));
	look.addr = (uintptr_t)m->map + MKW_POISONED * PAGE;
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_LOOK, &look));
	EXPECT_EQ(0, look.present);
	EXPECT_EQ(SIGBUS, mkw_write(m, MKW_POISONED, 2));
	what = MKW_CURE;
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_MARK, &what));
	EXPECT_EQ(0, mkw_write(m, MKW_POISONED, 2));
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 3, 1);
}

/*
 * A folio under writeback whose mapping needs stable writes: the handler waits
 * for the end of it, the page is not writable before. Meanwhile the file gets
 * another size, and it is that one which counts.
 */
static void stable(struct __test_metadata *_metadata, struct mkw *m,
		   enum path path, __u64 before, __u64 after, int sig)
{
	struct mkw_collide collide;
	struct mkw_writer w = { .m = m, .page = 1 };
	unsigned long page;
	__u64 index = 0;

	mkw_open(_metadata, m, 16, 4, MKW_STABLE);
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	for (page = 0; page < 16; page++)
		mkw_start(_metadata, m, page, path);
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_SIZE, &before));
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_WRITEBACK, &index));
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, mkw_writer_main, &w));
	collide.addr = (uintptr_t)m->map + PAGE;
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_COLLIDE, &collide));
	EXPECT_EQ(1, collide.entered);
	EXPECT_EQ(0, collide.writable);
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_SIZE, &after));
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_RELEASE));
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(sig, w.sig);
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
}

TEST_F(contract, stable_writes)
{
	stable(_metadata, &self->m, variant->path, 16, 16, 0);
	mkw_kept(_metadata, &self->m, 1, 'w');
}

TEST_F(W7, grown_during_writeback)
{
	stable(_metadata, &self->m, variant->path, 4, 12, 0);
	EXPECT_EQ(12, mkw_look(_metadata, &self->m).writable);
	mkw_kept(_metadata, &self->m, 1, 'w');
}

TEST_F(W6, shrunk_during_writeback)
{
	__u64 all = 16;

	stable(_metadata, &self->m, variant->path, 16, 1, SIGBUS);
	EXPECT_EQ(0, mkw_look(_metadata, &self->m).writable);
	/* What is cached and mapped beyond the end: not of this test. */
	ASSERT_EQ(0, ioctl(self->m.fd, MKW_IOC_SIZE, &all));
}

MKW_HARNESS_MAIN
