// SPDX-License-Identifier: GPL-2.0
/*
 * W7, where one fault for a folio must not go too far: page table and VMA
 * borders, other mappings of the folio, userfaultfd and soft-dirty tracking,
 * NUMA balancing, writeback, splits and truncation, and what the process is
 * charged for.
 */
#include <linux/userfaultfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "mkwrite.h"

#define ORDER	4
#define FOLIO	(1UL << ORDER)	/* pages */

#define HUGE_ORDER	9
#define HUGE		(1UL << HUGE_ORDER)

/* The libc's headers may be older than the kernel. */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED	(1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC		(1 << 15)
#endif

/* Bits of /proc/self/pagemap. */
#define PM_SOFT_DIRTY	(1ULL << 55)
#define PM_UFFD_WP	(1ULL << 57)
#define PM_PRESENT	(1ULL << 63)

#define NUMA_BALANCING	"/proc/sys/kernel/numa_balancing"

MKW_FIXTURE(W7)
MKW_FIXTURE(W6)

/* What holds with one fault for each page as well: green on stock. */
MKW_FIXTURE(contract)

/* One folio, prepared as a whole, with every page as @path says. */
static void one_folio(struct __test_metadata *_metadata, struct mkw *m,
		      enum path path)
{
	unsigned long page;

	mkw_open(_metadata, m, FOLIO, ORDER, 0);
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	for (page = 0; page < FOLIO; page++)
		mkw_start(_metadata, m, page, path);
}

static struct mkw_look look_at(struct __test_metadata *_metadata,
			       struct mkw *m, char *map, unsigned long nr)
{
	struct mkw_look look = { .addr = (uintptr_t)map, .nr = nr };

	ASSERT_EQ(0, ioctl(m->fd, MKW_IOC_LOOK, &look));
	return look;
}

/* How many pages of the mapping have @bit in the pagemap. */
static unsigned long pagemap(struct __test_metadata *_metadata, struct mkw *m,
			     uint64_t bit)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned long page, count = 0;
	uint64_t entry;

	ASSERT_LE(0, fd);
	for (page = 0; page < m->pages; page++) {
		off_t at = ((uintptr_t)m->map / PAGE + page) * sizeof(entry);

		ASSERT_EQ(sizeof(entry), pread(fd, &entry, sizeof(entry), at));
		count += !!(entry & bit);
	}
	close(fd);
	return count;
}

/* The folio lies across the border of two page tables: each is a fault. */
static void table_border(struct __test_metadata *_metadata, struct mkw *m,
			 enum path path)
{
	char *map;
	unsigned long page;

	mkw_open(_metadata, m, FOLIO, ORDER, 0);
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	ASSERT_EQ(0, munmap(m->map, FOLIO * PAGE));
	map = mmap(NULL, 3 * TABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	map = (char *)(((uintptr_t)map + TABLE - 1) & -TABLE);
	m->map = mmap(map + TABLE - FOLIO / 2 * PAGE, FOLIO * PAGE,
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, m->fd, 0);
	ASSERT_NE(MAP_FAILED, m->map);
	for (page = 0; page < FOLIO; page++)
		mkw_start(_metadata, m, page, path);

	EXPECT_EQ(0, mkw_write(m, 1, 1));
	EXPECT_EQ(FOLIO / 2, mkw_look(_metadata, m).writable);
	EXPECT_EQ(0, mkw_write(m, FOLIO / 2 + 1, 2));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	mkw_kept(_metadata, m, 1, 1);
	EXPECT_EQ(2, mkw_read(m, FOLIO / 2 + 1));
}

TEST_F(W7, table_border_unmapped)
{
	table_border(_metadata, &self->m, UNMAPPED);
}

TEST_F(W7, table_border_read_mapped)
{
	table_border(_metadata, &self->m, READ_MAPPED);
}

/* The mapping begins and ends inside the folio, between anonymous memory. */
static void vma_border(struct __test_metadata *_metadata, struct mkw *m,
		       enum path path)
{
	char *around;
	unsigned long page;

	mkw_open(_metadata, m, FOLIO, ORDER, 0);
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	around = mmap(m->map, FOLIO * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(m->map, around);
	ASSERT_NE(MAP_FAILED, mmap(m->map + 4 * PAGE, 8 * PAGE,
				   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				   m->fd, 4 * PAGE));
	for (page = 4; page < 12; page++)
		mkw_start(_metadata, m, page, path);

	EXPECT_EQ(0, mkw_write(m, 6, 1));
	EXPECT_EQ(8, mkw_look(_metadata, m).present);
	EXPECT_EQ(8, mkw_look(_metadata, m).writable);
	for (page = 0; page < FOLIO; page++)
		EXPECT_EQ(page == 6, mkw_read(m, page));
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);

	ASSERT_NE(MAP_FAILED, mmap(m->map, FOLIO * PAGE, PROT_READ,
				   MAP_SHARED | MAP_FIXED, m->fd, 0));
	mkw_kept(_metadata, m, 6, 1);
}

TEST_F(W7, vma_border_unmapped)
{
	vma_border(_metadata, &self->m, UNMAPPED);
}

TEST_F(W7, vma_border_read_mapped)
{
	vma_border(_metadata, &self->m, READ_MAPPED);
}

/* mremap() takes one half of the folio to another place. */
TEST_F(W7, half_moved)
{
	struct mkw *m = &self->m;
	char *half;

	one_folio(_metadata, m, READ_MAPPED);
	/* Not across the border of two page tables: see table_border(). */
	half = mmap(NULL, 2 * TABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, half);
	half = (char *)(((uintptr_t)half + TABLE - 1) & -TABLE);
	ASSERT_EQ(half, mremap(m->map + FOLIO / 2 * PAGE, FOLIO / 2 * PAGE,
			       FOLIO / 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			       half));
	EXPECT_EQ(0, mkw_write(m, 0, 1));
	EXPECT_EQ(FOLIO / 2, look_at(_metadata, m, m->map, FOLIO / 2).writable);
	EXPECT_EQ(0, look_at(_metadata, m, half, FOLIO / 2).writable);
	half[0] = 2;
	EXPECT_EQ(FOLIO / 2, look_at(_metadata, m, half, FOLIO / 2).writable);
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);

	ASSERT_EQ(0, munmap(half, FOLIO / 2 * PAGE));
	ASSERT_NE(MAP_FAILED, mmap(m->map, FOLIO * PAGE, PROT_READ,
				   MAP_SHARED | MAP_FIXED, m->fd, 0));
	mkw_kept(_metadata, m, FOLIO / 2, 2);
	EXPECT_EQ(1, mkw_read(m, 0));
}

/* What is missing in the middle is mapped, what is there is not mapped twice. */
TEST_F(W7, hole_in_the_middle)
{
	struct mkw *m = &self->m;

	one_folio(_metadata, m, READ_MAPPED);
	ASSERT_EQ(0, madvise(m->map + 4 * PAGE, 4 * PAGE, MADV_DONTNEED));
	EXPECT_EQ(FOLIO - 4, mkw_look(_metadata, m).present);
	EXPECT_EQ(0, mkw_write(m, 9, 1));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	EXPECT_EQ(FOLIO, mkw_smaps(_metadata, m, "Rss"));
	EXPECT_EQ(FOLIO, mkw_smaps(_metadata, m, "Pss"));
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	mkw_kept(_metadata, m, 9, 1);
}

/* What the process is charged for: every page of the folio once. */
static void accounts(struct __test_metadata *_metadata, struct mkw *m,
		     enum path path)
{
	one_folio(_metadata, m, path);
	EXPECT_EQ(0, mkw_write(m, 3, 1));
	EXPECT_EQ(FOLIO, mkw_smaps(_metadata, m, "Rss"));
	EXPECT_EQ(FOLIO, mkw_smaps(_metadata, m, "Pss"));
	EXPECT_EQ(FOLIO, mkw_smaps(_metadata, m, "Private_Dirty") +
			 mkw_smaps(_metadata, m, "Shared_Dirty"));
	mkw_kept(_metadata, m, 3, 1);
	EXPECT_EQ(0, mkw_smaps(_metadata, m, "Private_Dirty") +
		     mkw_smaps(_metadata, m, "Shared_Dirty"));
}

TEST_F(W7, accounts_unmapped)
{
	accounts(_metadata, &self->m, UNMAPPED);
}

TEST_F(contract, accounts_read_mapped)
{
	accounts(_metadata, &self->m, READ_MAPPED);
}

/* mlock() reads every page, with MLOCK_ONFAULT the write maps them. */
static void locked(struct __test_metadata *_metadata, struct mkw *m, int flags)
{
	one_folio(_metadata, m, UNMAPPED);
	ASSERT_EQ(0, mlock2(m->map, FOLIO * PAGE, flags));
	EXPECT_EQ(flags ? 0 : FOLIO, mkw_look(_metadata, m).present);
	EXPECT_EQ(0, mkw_write(m, 3, 1));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	EXPECT_EQ(FOLIO, mkw_smaps(_metadata, m, "Locked"));
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	ASSERT_EQ(0, munlock(m->map, FOLIO * PAGE));
	mkw_kept(_metadata, m, 3, 1);
}

TEST_F(W7, locked_memory)
{
	locked(_metadata, &self->m, 0);
}

TEST_F(W7, locked_on_fault)
{
	locked(_metadata, &self->m, MLOCK_ONFAULT);
}

/* A private mapping of the same folio stays read-only, and its copies private. */
TEST_F(W7, private_mapping)
{
	struct mkw *m = &self->m;
	unsigned long page;
	char *private;
	int sum = 0;

	one_folio(_metadata, m, READ_MAPPED);
	private = mmap(NULL, FOLIO * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		       m->fd, 0);
	ASSERT_NE(MAP_FAILED, private);
	for (page = 0; page < FOLIO; page++)
		sum += ((volatile char *)private)[page * PAGE];
	private[5 * PAGE] = 7;

	EXPECT_EQ(0, sum + mkw_write(m, 5, 1));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	EXPECT_EQ(1, look_at(_metadata, m, private, FOLIO).writable);
	EXPECT_EQ(7, private[5 * PAGE]);
	ASSERT_EQ(0, munmap(private, FOLIO * PAGE));
	mkw_kept(_metadata, m, 5, 1);
}

/*
 * Another process has the folio mapped: its pages become writable by its own
 * write, and writeback protects the pages of both.
 */
TEST_F(W7, two_processes)
{
	struct mkw *m = &self->m;
	int go[2], done[2], status;
	pid_t child;
	char c = 0;

	one_folio(_metadata, m, READ_MAPPED);
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(done));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		unsigned long page;
		int wrong = 0;

		for (page = 0; page < FOLIO; page++)
			wrong |= mkw_read(m, page) != 0;
		wrong |= write(done[1], &c, 1) != 1 || read(go[0], &c, 1) != 1;
		/* The parent has written to page 1. */
		wrong |= mkw_look(_metadata, m).writable != 0;
		wrong |= mkw_write(m, 2, 2);
		wrong |= mkw_look(_metadata, m).writable != FOLIO;
		wrong |= write(done[1], &c, 1) != 1 || read(go[0], &c, 1) != 1;
		/* The parent has written everything back. */
		wrong |= mkw_look(_metadata, m).writable != 0;
		_exit(wrong);
	}
	ASSERT_EQ(1, read(done[0], &c, 1));
	EXPECT_EQ(0, mkw_write(m, 1, 1));
	ASSERT_EQ(1, write(go[1], &c, 1));
	ASSERT_EQ(1, read(done[0], &c, 1));
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	ASSERT_EQ(0, msync(m->map, FOLIO * PAGE, MS_SYNC));
	EXPECT_EQ(0, mkw_look(_metadata, m).writable);
	ASSERT_EQ(1, write(go[1], &c, 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	mkw_kept(_metadata, m, 1, 1);
	EXPECT_EQ(2, mkw_read(m, 2));
}

/*
 * fork() between two writes: the child gets no PTE of the batch, its own write
 * makes one of its own, and writeback protects the pages of both.
 */
TEST_F(W7, fork_in_between)
{
	struct mkw *m = &self->m;
	int status;
	pid_t child;

	one_folio(_metadata, m, UNMAPPED);
	EXPECT_EQ(0, mkw_write(m, 1, 1));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		int wrong = mkw_look(_metadata, m).present != 0;

		wrong |= mkw_write(m, 2, 2);
		wrong |= mkw_look(_metadata, m).writable != FOLIO;
		wrong |= mkw_smaps(_metadata, m, "Rss") != FOLIO;
		wrong |= mkw_smaps(_metadata, m, "Pss") != FOLIO / 2;
		wrong |= msync(m->map, FOLIO * PAGE, MS_SYNC);
		wrong |= mkw_look(_metadata, m).writable != 0;
		_exit(wrong);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).present);
	EXPECT_EQ(0, mkw_look(_metadata, m).writable);
	EXPECT_EQ(FOLIO, mkw_smaps(_metadata, m, "Pss"));
	EXPECT_EQ(0, mkw_write(m, 3, 3));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	EXPECT_EQ(3, mkw_counts(m).page_mkwrite);
	mkw_kept(_metadata, m, 3, 3);
	EXPECT_EQ(1, mkw_read(m, 1));
	EXPECT_EQ(2, mkw_read(m, 2));
}

/*
 * A folio that fills a page table can be mapped by a PMD, but not for a handler
 * that prepared one page of it, nor if the file ends inside.
 */
static void huge_folio(struct __test_metadata *_metadata, struct mkw *m,
		       unsigned long pages, unsigned int flags,
		       unsigned long writable, unsigned long pmd)
{
	mkw_open(_metadata, m, HUGE, HUGE_ORDER, 0);
	ASSERT_EQ(0, ftruncate(m->fd, pages * PAGE));
	mkw_mode(m, .flags = flags);
	mkw_start(_metadata, m, 0, UNMAPPED);
	EXPECT_EQ(0, mkw_write(m, 7, 1));
	EXPECT_EQ(writable, mkw_look(_metadata, m).present);
	EXPECT_EQ(writable, mkw_look(_metadata, m).writable);
	EXPECT_EQ(writable, mkw_smaps(_metadata, m, "Rss"));
	EXPECT_EQ(pmd, mkw_smaps(_metadata, m, "FilePmdMapped"));

	ASSERT_EQ(0, msync(m->map, pages * PAGE, MS_SYNC));
	EXPECT_EQ(0, mkw_look(_metadata, m).writable);
	EXPECT_EQ(0, mkw_write(m, 7, 2));
	EXPECT_EQ(writable, mkw_look(_metadata, m).writable);
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, mkw_violated(m, MKW_I4_BEYOND_EOF));
	mkw_kept(_metadata, m, 7, 2);
}

TEST_F(contract, huge_folio)
{
	huge_folio(_metadata, &self->m, HUGE, MKW_WHOLE_FOLIO, HUGE, HUGE);
}

TEST_F(W7, huge_folio_one_page)
{
	huge_folio(_metadata, &self->m, HUGE, 0, 1, 0);
}

TEST_F(W7, huge_folio_end_inside)
{
	huge_folio(_metadata, &self->m, HUGE - 5, MKW_WHOLE_FOLIO, HUGE - 5,
		   0);
}

/* The rest of the page with the end of the file is nobody's: the PMD may map it. */
TEST_F(contract, huge_folio_end_in_last_page)
{
	struct mkw *m = &self->m;

	mkw_open(_metadata, m, HUGE, HUGE_ORDER, 0);
	ASSERT_EQ(0, ftruncate(m->fd, HUGE * PAGE - 100));
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	mkw_start(_metadata, m, 0, UNMAPPED);
	EXPECT_EQ(0, mkw_write(m, 7, 1));
	EXPECT_EQ(HUGE, mkw_look(_metadata, m).writable);
	EXPECT_EQ(HUGE, mkw_smaps(_metadata, m, "FilePmdMapped"));
	mkw_kept(_metadata, m, 7, 1);
}

/* Where soft-dirty is tracked, only the page that was written is reported. */
static void soft_dirty(struct __test_metadata *_metadata, struct mkw *m,
		       enum path path)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY);

	ASSERT_LE(0, fd);
	one_folio(_metadata, m, path);
	/* All of a new mapping is soft-dirty. */
	if (!pagemap(_metadata, m, PM_SOFT_DIRTY))
		SKIP(return, "needs CONFIG_MEM_SOFT_DIRTY");
	ASSERT_EQ(1, write(fd, "4", 1));
	close(fd);
	ASSERT_EQ(0, pagemap(_metadata, m, PM_SOFT_DIRTY));
	EXPECT_EQ(0, mkw_write(m, 3, 1));
	EXPECT_EQ(1, pagemap(_metadata, m, PM_SOFT_DIRTY));
	EXPECT_EQ(1, mkw_look(_metadata, m).writable);
	mkw_kept(_metadata, m, 3, 1);
}

TEST_F(W7, soft_dirty_unmapped)
{
	soft_dirty(_metadata, &self->m, UNMAPPED);
}

TEST_F(W7, soft_dirty_read_mapped)
{
	soft_dirty(_metadata, &self->m, READ_MAPPED);
}

/*
 * One folio, prepared as a whole, and all of it under userfaultfd's asynchronous
 * write protection. Returns the userfaultfd, or -1 if the kernel has no such.
 */
static int one_folio_uffd(struct __test_metadata *_metadata, struct mkw *m,
			  enum path path, struct uffdio_register *reg)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED,
	};
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		return -1;
	one_folio(_metadata, m, path);
	reg->mode = UFFDIO_REGISTER_MODE_WP;
	reg->range.start = (uintptr_t)m->map;
	reg->range.len = FOLIO * PAGE;
	wp.range = reg->range;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_REGISTER, reg));
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
	ASSERT_EQ(FOLIO, pagemap(_metadata, m, PM_UFFD_WP));
	return uffd;
}

/* The same for userfaultfd's asynchronous write protection. */
static void uffd_wp(struct __test_metadata *_metadata, struct mkw *m,
		    enum path path)
{
	struct uffdio_register reg = {};
	int uffd = one_folio_uffd(_metadata, m, path, &reg);
	unsigned long calls = 1;

	if (uffd < 0)
		SKIP(return, "no asynchronous write protection");

	/* What was not mapped is mapped write-protected first. */
	if (path == UNMAPPED)
		calls = 2;
#ifdef __aarch64__
	/*
	 * do_wp_page() takes the mark off one page, which breaks up a block of
	 * contiguous PTEs, and does not recognise the page's PTE afterwards.
	 */
	calls = 2;
#endif
	EXPECT_EQ(0, mkw_write(m, 3, 1));
	EXPECT_EQ(FOLIO - 1, pagemap(_metadata, m, PM_UFFD_WP));
	EXPECT_EQ(1, mkw_look(_metadata, m).writable);
	EXPECT_EQ(calls, mkw_counts(m).page_mkwrite);

	/* Whoever ends the tracking gets the batch again. */
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_UNREGISTER, &reg.range));
	close(uffd);
	EXPECT_EQ(0, mkw_write(m, 4, 2));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	mkw_kept(_metadata, m, 3, 1);
	EXPECT_EQ(2, mkw_read(m, 4));
}

TEST_F(W7, uffd_wp_unmapped)
{
	uffd_wp(_metadata, &self->m, UNMAPPED);
}

TEST_F(W7, uffd_wp_read_mapped)
{
	uffd_wp(_metadata, &self->m, READ_MAPPED);
}

/*
 * A page that the handler turns away is unmapped, so that ->fault reads it. The
 * other pages of the folio stay as they are, userfaultfd's mark on them, too.
 */
TEST_F(W6, stale_neighbours_stay)
{
	struct uffdio_register reg = {};
	struct mkw *m = &self->m;
	int uffd = one_folio_uffd(_metadata, m, READ_MAPPED, &reg);

	if (uffd < 0)
		SKIP(return, "no asynchronous write protection");
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO, .times = 1, .adversary = MKW_STALE,
		 .when = MKW_AT_ENTRY);
	EXPECT_EQ(0, mkw_write(m, 3, 1));
	EXPECT_EQ(2, mkw_counts(m).reads);
	EXPECT_EQ(FOLIO - 1, pagemap(_metadata, m, PM_UFFD_WP));
	EXPECT_EQ(FOLIO, pagemap(_metadata, m, PM_PRESENT));
	close(uffd);
	mkw_kept(_metadata, m, 3, 1);
}

/* A file other than shmem's has no other mode of it that we could ignore. */
TEST_F(contract, uffd_other_modes)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		SKIP(return, "no userfaultfd");
	one_folio(_metadata, &self->m, UNMAPPED);
	reg.range.start = (uintptr_t)self->m.map;
	reg.range.len = FOLIO * PAGE;
	EXPECT_EQ(-1, ioctl(uffd, UFFDIO_REGISTER, &reg));
	EXPECT_EQ(EINVAL, errno);
	/* Synchronous, as it is without UFFD_FEATURE_WP_ASYNC. */
	reg.mode = UFFDIO_REGISTER_MODE_WP;
	EXPECT_EQ(-1, ioctl(uffd, UFFDIO_REGISTER, &reg));
	EXPECT_EQ(EINVAL, errno);
	close(uffd);
}

/*
 * One folio, prepared as a whole, all of it protnone: NUMA balancing took the
 * access away, to see who comes for it. It does so with one node as well, while
 * a process computes, to clean pages only, and leaves it so when it is off.
 * Returns whether this kernel has it.
 */
static bool protnone(struct __test_metadata *_metadata, struct mkw *m)
{
	time_t end = time(NULL) + 20;
	char old[16];

	if (access(NUMA_BALANCING, F_OK))
		return false;
	one_folio(_metadata, m, READ_MAPPED);
	mkw_sysctl(_metadata, NUMA_BALANCING, "1", old, sizeof(old));
	while (mkw_look(_metadata, m).present && time(NULL) < end)
		;
	mkw_sysctl(_metadata, NUMA_BALANCING, old, NULL, 0);
	EXPECT_EQ(0, mkw_look(_metadata, m).present);
	EXPECT_EQ(FOLIO, pagemap(_metadata, m, PM_PRESENT));
	return true;
}

/* The store to another page of the folio leaves it alone, @path: the others'. */
static void protnone_neighbour(struct __test_metadata *_metadata, struct mkw *m,
			       enum path path)
{
	unsigned long page;

	if (!protnone(_metadata, m))
		SKIP(return, "needs CONFIG_NUMA_BALANCING");
	/* Page 5 only: a fault on one would give the access to all back. */
	ASSERT_EQ(0, madvise(m->map, 5 * PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(m->map + 6 * PAGE, (FOLIO - 6) * PAGE, MADV_DONTNEED));
	for (page = 0; page < FOLIO; page++)
		if (page != 5)
			mkw_start(_metadata, m, page, path);
	ASSERT_EQ(path == UNMAPPED ? 1 : FOLIO, pagemap(_metadata, m, PM_PRESENT));

	EXPECT_EQ(0, mkw_write(m, 3, 1));
	EXPECT_EQ(FOLIO - 1, mkw_look(_metadata, m).present);
	EXPECT_EQ(FOLIO - 1, mkw_look(_metadata, m).writable);
	EXPECT_EQ(FOLIO, pagemap(_metadata, m, PM_PRESENT));
	EXPECT_EQ(FOLIO, mkw_smaps(_metadata, m, "Rss"));
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);

	/* NUMA's fault makes it readable, only its own write writable. */
	EXPECT_EQ(0, mkw_read(m, 5));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).present);
	EXPECT_EQ(FOLIO - 1, mkw_look(_metadata, m).writable);
	EXPECT_EQ(0, mkw_write(m, 5, 2));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 3, 1);
	EXPECT_EQ(2, mkw_read(m, 5));
}

TEST_F(W7, protnone_neighbour_unmapped)
{
	protnone_neighbour(_metadata, &self->m, UNMAPPED);
}

TEST_F(W7, protnone_neighbour_read_mapped)
{
	protnone_neighbour(_metadata, &self->m, READ_MAPPED);
}

/* The store to a protnone page: NUMA's fault first, then one for all. */
TEST_F(W7, protnone_written)
{
	struct mkw *m = &self->m;

	if (!protnone(_metadata, m))
		SKIP(return, "needs CONFIG_NUMA_BALANCING");
	EXPECT_EQ(0, mkw_write(m, 5, 1));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	EXPECT_EQ(1, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 5, 1);
}

/*
 * Who has said that the neighbours are not next gets the one page. On a first
 * store finish_fault() does not ask for the advice on 7.3, as ever.
 */
TEST_F(W7, random_advice)
{
	struct mkw *m = &self->m;

	one_folio(_metadata, m, READ_MAPPED);
	ASSERT_EQ(0, madvise(m->map, FOLIO * PAGE, MADV_RANDOM));
	EXPECT_EQ(0, mkw_write(m, 3, 1));
	EXPECT_EQ(1, mkw_look(_metadata, m).writable);
	ASSERT_EQ(0, madvise(m->map, FOLIO * PAGE, MADV_NORMAL));
	EXPECT_EQ(0, mkw_write(m, 4, 2));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	mkw_kept(_metadata, m, 3, 1);
	EXPECT_EQ(2, mkw_read(m, 4));
}

/*
 * Somebody waits for the folio lock to write the folio back: every page of it is
 * writable by then, none stays so, and the next store asks the filesystem.
 */
static void cleaned(struct __test_metadata *_metadata, struct mkw *m,
		    enum path path)
{
	one_folio(_metadata, m, path);
	mkw_mode(m, .times = 1, .adversary = MKW_CLEAN, .when = MKW_AT_UNLOCK,
		 .flags = MKW_WHOLE_FOLIO);
	EXPECT_EQ(0, mkw_write(m, 3, 1));
	/*
	 * It may be clean before the store is done, which then asks again. If
	 * not, a ticket that stays is a hang here, which the time limit ends.
	 */
	while (mkw_counts(m).page_mkwrite < 2 && mkw_counts(m).tickets)
		usleep(1000);
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).present);
	if (mkw_counts(m).page_mkwrite < 2)
		EXPECT_EQ(0, mkw_look(_metadata, m).writable);
	EXPECT_EQ(0, mkw_write(m, 4, 2));
	EXPECT_EQ(2, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 3, 1);
	EXPECT_EQ(2, mkw_read(m, 4));
}

TEST_F(W7, cleaned_inside_unmapped)
{
	cleaned(_metadata, &self->m, UNMAPPED);
}

TEST_F(W7, cleaned_inside_read_mapped)
{
	cleaned(_metadata, &self->m, READ_MAPPED);
}

/* What was one folio is sixteen: each is asked for. */
TEST_F(W7, split_in_between)
{
	struct mkw *m = &self->m;
	unsigned long page;

	one_folio(_metadata, m, READ_MAPPED);
	EXPECT_EQ(0, mkw_write(m, 1, 1));
	EXPECT_EQ(FOLIO, mkw_look(_metadata, m).writable);
	/* A dirty folio of mkwritefs cannot be split. */
	ASSERT_EQ(0, msync(m->map, FOLIO * PAGE, MS_SYNC));
	if (mkw_split(m))
		SKIP(return, "no split_huge_pages in debugfs");
	for (page = 0; page < FOLIO; page++) {
		EXPECT_EQ(0, mkw_write(m, page, page + 2));
		EXPECT_EQ(page + 1, mkw_look(_metadata, m).writable);
		EXPECT_EQ(page + 2, mkw_counts(m).page_mkwrite);
		EXPECT_EQ(page + 1, mkw_counts(m).tickets);
	}
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 7, 9);
}

/*
 * Somebody waits for the folio lock to throw the folio away, as truncate does:
 * every page of it is mapped by then, and none stays so.
 */
static void truncated(struct __test_metadata *_metadata, struct mkw *m,
		      enum path path)
{
	one_folio(_metadata, m, path);
	mkw_mode(m, .times = 1, .adversary = MKW_TRUNCATE,
		 .when = MKW_AT_UNLOCK, .flags = MKW_WHOLE_FOLIO);
	EXPECT_EQ(0, mkw_write(m, 3, 1));
	/*
	 * It may be gone before the store is done, which then faults again. A
	 * page that stays is a hang here, which the time limit ends.
	 */
	while (mkw_look(_metadata, m).present && mkw_counts(m).reads < 2)
		usleep(1000);
	EXPECT_EQ(0, mkw_write(m, 4, 2));
	EXPECT_LE(2, mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	mkw_kept(_metadata, m, 4, 2);
}

TEST_F(contract, truncated_inside_unmapped)
{
	truncated(_metadata, &self->m, UNMAPPED);
}

TEST_F(contract, truncated_inside_read_mapped)
{
	truncated(_metadata, &self->m, READ_MAPPED);
}

/*
 * Two threads write all over, one cuts the file in the midst of folios, which
 * splits them, extends it and writes it back. Whenever it has set the size,
 * nothing beyond may be mapped.
 */
struct scribbler {
	pthread_t thread;
	struct mkw *m;
	unsigned int seed;
	volatile bool *stop;
};

static void *scribble(void *arg)
{
	struct scribbler *s = arg;

	while (!*s->stop)
		mkw_write(s->m, rand_r(&s->seed) % s->m->pages, 1);
	return NULL;
}

TEST_F(contract, truncate_while_written)
{
	struct mkw *m = &self->m;
	volatile bool stop = false;
	struct scribbler s[2];
	unsigned int seed = time(NULL), i;
	time_t end = time(NULL) + 3;

	TH_LOG("seed %u", seed);
	mkw_open(_metadata, m, 4 * FOLIO, ORDER, 0);
	mkw_mode(m, .flags = MKW_WHOLE_FOLIO);
	for (i = 0; i < 2; i++) {
		s[i] = (struct scribbler) { .m = m, .stop = &stop,
					    .seed = seed + i };
		ASSERT_EQ(0, pthread_create(&s[i].thread, NULL, scribble, &s[i]));
	}
	while (time(NULL) < end) {
		unsigned long size = rand_r(&seed) % (m->pages * PAGE);

		EXPECT_EQ(0, ftruncate(m->fd, size));
		EXPECT_EQ(0, mkw_look(_metadata, m).beyond);
		EXPECT_EQ(0, ftruncate(m->fd, m->pages * PAGE));
		for (i = 0; i < m->pages; i++)
			mkw_start(_metadata, m, i, UNMAPPED);
		EXPECT_EQ(0, msync(m->map, m->pages * PAGE, MS_SYNC));
	}
	stop = true;
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(s[i].thread, NULL));
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_CHECK));
	EXPECT_EQ(0, mkw_violated(m, MKW_I1_NO_TICKET));
	EXPECT_EQ(0, mkw_violated(m, MKW_I4_BEYOND_EOF));
}

MKW_HARNESS_MAIN
