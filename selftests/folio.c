// SPDX-License-Identifier: GPL-2.0
/*
 * W7: one fault for a folio that the handler prepared as a whole, one for each
 * page otherwise, and never a page that must not be mapped.
 */
#include "mkwrite.h"

#define ORDER	4
#define FOLIO	(1UL << ORDER)	/* pages */

MKW_FIXTURE(W7)

/* Brings every folio into the cache, and for READ_MAPPED every PTE. */
static void start_all(struct __test_metadata *_metadata, struct mkw *m,
		      enum path path)
{
	unsigned long page;

	for (page = 0; page < m->pages; page++)
		mkw_start(_metadata, m, page, path);
	if (path == READ_MAPPED)
		ASSERT_EQ(m->pages, mkw_look(_metadata, m).present);
}

static void write_all(struct __test_metadata *_metadata, struct mkw *m, int add)
{
	unsigned long page;

	for (page = 0; page < m->pages; page++)
		EXPECT_EQ(0, mkw_write(m, page, page + add));
}

static void kept_all(struct __test_metadata *_metadata, struct mkw *m, int add)
{
	unsigned long page;

	mkw_kept(_metadata, m, 0, add);
	for (page = 0; page < m->pages; page++)
		EXPECT_EQ((unsigned char)(page + add), mkw_read(m, page));
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
}

/* @calls: of ->page_mkwrite that two folios may take. */
static void folios(struct __test_metadata *_metadata, struct mkw *m,
		   enum path path, unsigned int flags, unsigned long calls)
{
	mkw_open(_metadata, m, 2 * FOLIO, ORDER, 0);
	mkw_mode(m, .flags = flags);
	start_all(_metadata, m, path);
	EXPECT_EQ(2, mkw_counts(m).reads);

	write_all(_metadata, m, 1);
	EXPECT_EQ(calls, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(2, mkw_counts(m).tickets);

	/* Writeback protects every page again, and the filesystem is asked. */
	ASSERT_EQ(0, msync(m->map, m->pages * PAGE, MS_SYNC));
	EXPECT_EQ(0, mkw_look(_metadata, m).writable);
	write_all(_metadata, m, 2);
	EXPECT_EQ(2 * calls, mkw_counts(m).page_mkwrite);
	kept_all(_metadata, m, 2);
}

TEST_F(W7, whole_folio_unmapped)
{
	folios(_metadata, &self->m, UNMAPPED, MKW_WHOLE_FOLIO, 2);
}

TEST_F(W7, whole_folio_read_mapped)
{
	folios(_metadata, &self->m, READ_MAPPED, MKW_WHOLE_FOLIO, 2);
}

/* A handler that prepared one page gets no other page's write for it. */
TEST_F(W7, one_page_unmapped)
{
	folios(_metadata, &self->m, UNMAPPED, 0, 2 * FOLIO);
}

TEST_F(W7, one_page_read_mapped)
{
	folios(_metadata, &self->m, READ_MAPPED, 0, 2 * FOLIO);
}

/*
 * The file ends inside the folio: nothing behind the end is ever mapped, and
 * the page that is not to be had is SIGBUS although its folio is cached.
 */
static void end_inside(struct __test_metadata *_metadata, struct mkw *m,
		       enum path path, unsigned int flags)
{
	unsigned long end = FOLIO - 5;
	struct mkw_look look;
	unsigned long page;

	mkw_open(_metadata, m, FOLIO, ORDER, 0);
	ASSERT_EQ(0, ftruncate(m->fd, end * PAGE - 100));
	mkw_mode(m, .flags = flags);
	for (page = 0; page < end; page++)
		mkw_start(_metadata, m, page, path);

	for (page = 0; page < end; page++) {
		EXPECT_EQ(0, mkw_write(m, page, page + 1));
		look = mkw_look(_metadata, m);
		EXPECT_EQ(0, look.beyond);
		EXPECT_LE(page + 1, look.writable);
	}
	for (page = end; page < FOLIO; page++)
		EXPECT_EQ(SIGBUS, mkw_write(m, page, 1));
	EXPECT_EQ(end, mkw_look(_metadata, m).present);
	EXPECT_EQ(0, mkw_violated(m, MKW_I4_BEYOND_EOF));
	mkw_kept(_metadata, m, end - 1, end);
}

TEST_F(W7, end_inside_unmapped)
{
	end_inside(_metadata, &self->m, UNMAPPED, MKW_WHOLE_FOLIO);
}

TEST_F(W7, end_inside_read_mapped)
{
	end_inside(_metadata, &self->m, READ_MAPPED, MKW_WHOLE_FOLIO);
}

TEST_F(W7, end_inside_one_page)
{
	end_inside(_metadata, &self->m, READ_MAPPED, 0);
}

/* Only what this mapping may write becomes writable; a hole stays one. */
static void part_of_folio(struct __test_metadata *_metadata, struct mkw *m,
			  enum path path)
{
	struct mkw_look look = { .nr = 4 };

	mkw_open(_metadata, m, FOLIO, ORDER, 0);
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	start_all(_metadata, m, path);
	ASSERT_EQ(0, munmap(m->map + 4 * PAGE, 4 * PAGE));
	ASSERT_EQ(0, mprotect(m->map + 8 * PAGE, 4 * PAGE, PROT_READ));

	EXPECT_EQ(0, mkw_write(m, 1, 1));
	EXPECT_EQ(0, mkw_write(m, 13, 2));

	look.addr = (uintptr_t)m->map + 4 * PAGE;
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_LOOK, &look));
	EXPECT_EQ(0, look.present);
	look.addr = (uintptr_t)m->map + 8 * PAGE;
	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_LOOK, &look));
	EXPECT_EQ(0, look.writable);
	EXPECT_EQ(1, mkw_counts(m).tickets);

	/* For mkw_kept(), which wants all of the mapping. */
	ASSERT_NE(MAP_FAILED, mmap(m->map, FOLIO * PAGE, PROT_READ,
				   MAP_SHARED | MAP_FIXED, m->fd, 0));
	mkw_kept(_metadata, m, 13, 2);
	EXPECT_EQ(1, mkw_read(m, 1));
}

TEST_F(W7, part_of_folio_unmapped)
{
	part_of_folio(_metadata, &self->m, UNMAPPED);
}

TEST_F(W7, part_of_folio_read_mapped)
{
	part_of_folio(_metadata, &self->m, READ_MAPPED);
}

/* Whatever order: one call for each folio, the bounds of W7.end_inside. */
TEST_F(W7, every_order)
{
	unsigned int order;

	for (order = 0; order <= 6; order++) {
		struct mkw *m = &self->m;

		mkw_open(_metadata, m, 64, order, 0);
		mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
		start_all(_metadata, m, UNMAPPED);
		write_all(_metadata, m, order);
		EXPECT_EQ(64 >> order, mkw_counts(m).page_mkwrite) {
			TH_LOG("folios of order %u", order);
		}
		kept_all(_metadata, m, order);
		mkw_umount(_metadata, m);
		mkw_mount(_metadata, m);
	}
}

MKW_HARNESS_MAIN
