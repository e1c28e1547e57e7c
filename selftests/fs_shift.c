// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks change hands beside stores to a mapping:
 *
 * clone: the file is cloned; what the clone is when the call returns, it stays
 * shift: a range before the stores is taken out of the file, or put in
 * small: a file whose data may lie in its inode grows, or is written to
 * moved: f2fs moves the blocks to another file, and inside one
 * commit: xfs puts a copy in the file's place, if nobody has changed the file since the copy began
 */
#include "fs_cases.h"

#define SHIFT_PAGES	1024U
#define SHIFT_BY	16U
#define CLONE_PAGES	512U

static struct {
	char *map;
	unsigned int n;
	atomic_bool go, stop;
} stores;

static volatile uint32_t *word(unsigned int page, unsigned int i)
{
	return (uint32_t *)(stores.map + page * page_size) + i;
}

/* A new number to each page, again and again. */
static void *store_on(void *unused)
{
	uint32_t i = 0;
	unsigned int p;

	while (!atomic_load(&stores.stop))
		for (p = 0; p < stores.n && !atomic_load(&stores.stop); p++)
			*word(p, 0) = ++i;
	return NULL;
}

static pthread_t begin_stores(int fd, unsigned int pages)
{
	pthread_t thread;

	stores.map = map_file(fd, pages * page_size);
	stores.n = pages;
	atomic_store(&stores.stop, false);
	start_thread(&thread, store_on, NULL);
	usleep(20000);
	return thread;
}

static void end_stores(pthread_t thread)
{
	atomic_store(&stores.stop, true);
	pthread_join(thread, NULL);
}

void run_clone(void)
{
	unsigned int i, n = rounds(5), bad = 0;
	size_t len = CLONE_PAGES * page_size;
	char *then = malloc(len);
	pthread_t thread;
	int fd, clone;

	if (!then)
		die("memory");
	for (i = 0; i < n; i++) {
		fd = new_file("clone.from", 0);
		put(fd, 'c', len, 0);
		sync_file(fd, NULL, 0);
		clone = new_file("clone", 0);
		thread = begin_stores(fd, CLONE_PAGES);
		if (ioctl(clone, FICLONE, fd)) {
			end_stores(thread);
			if (unsupported(errno))
				skip("no clones: %s", strerror(errno));
			die("FICLONE");
		}
		if (pread(clone, then, len, 0) != (ssize_t)len)
			die("pread");
		usleep(20000);
		end_stores(thread);
		sync_file(fd, stores.map, len);
		forget(clone, NULL, 0);
		if (differs(clone, then, len) >= 0)
			bad++;
		munmap(stores.map, len);
		close(fd);
		close(clone);
	}
	if (bad)
		fail("a clone has changed after FICLONE in %u rounds of %u", bad, n);
	want("clone", then, len);
	free(then);
}

/* Two words in turn: what is stored to a page, and what the shift moves there, do not hide each other. */
static unsigned int shift_word(unsigned int page)
{
	return 1 + (page / SHIFT_BY & 1);
}

static void *store_once(void *unused)
{
	unsigned int p;

	atomic_store(&stores.go, true);
	for (p = 0; p < stores.n; p++) {
		*word(p, shift_word(p)) = p + 1;
		if (p % 64 == 0)
			usleep(300);
	}
	return NULL;
}

static unsigned int shift_lost(int moved_by)
{
	unsigned int p, lost = 0;

	for (p = 0; p < stores.n; p++) {
		if (moved_by < 0 && p >= SHIFT_BY && p < 2 * SHIFT_BY)
			continue;	/* in the range that is taken out */
		if (*word(p, shift_word(p)) == p + 1)
			continue;
		if (p < SHIFT_BY || *word(p + moved_by, shift_word(p)) != p + 1)
			lost++;
	}
	return lost;
}

static void shift(const char *what, int mode, int moved_by)
{
	unsigned int i, p, here, n = rounds(5), lost = 0, bad = 0;
	size_t len = (SHIFT_PAGES + SHIFT_BY) * page_size;
	pthread_t thread;
	int fd;

	for (i = 0; i < n; i++) {
		fd = new_file("shift", 0);
		put(fd, 0, SHIFT_PAGES * page_size, 0);
		sync_file(fd, NULL, 0);
		stores.map = map_file(fd, len);
		stores.n = SHIFT_PAGES - 2 * SHIFT_BY;
		/* so that the call has something to write */
		for (p = 0; p < SHIFT_PAGES; p++)
			*word(p, 3) = 1;
		atomic_store(&stores.go, false);
		start_thread(&thread, store_once, NULL);
		while (!atomic_load(&stores.go))
			;
		if (fallocate(fd, mode, SHIFT_BY * page_size, SHIFT_BY * page_size)) {
			pthread_join(thread, NULL);
			if (unsupported(errno))
				skip("no %s: %s", what, strerror(errno));
			die("%s", what);
		}
		pthread_join(thread, NULL);
		here = shift_lost(moved_by);
		lost += here;
		bad += here > 0;
		munmap(stores.map, len);
		close(fd);
	}
	if (bad)
		fail("%s: %u stores lost, in %u rounds of %u", what, lost, bad, n);
}

void run_shift(void)
{
	shift("collapse", FALLOC_FL_COLLAPSE_RANGE, -(int)SHIFT_BY);
	shift("insert", FALLOC_FL_INSERT_RANGE, SHIFT_BY);
}

#define SMALL_SIZE	300U
#define SMALL_GROWN	65536U

static void small_ftruncate(int fd)
{
	if (ftruncate(fd, SMALL_GROWN))
		die("ftruncate");
}

static void small_pwrite(int fd)
{
	put(fd, 0, 1, SMALL_GROWN - 1);
}

static void small_fallocate(int fd)
{
	if (fallocate(fd, 0, 0, SMALL_GROWN) && (!unsupported(errno) || ftruncate(fd, SMALL_GROWN)))
		die("fallocate");
}

static void small_append(int fd)
{
	if (fcntl(fd, F_SETFL, O_APPEND))
		die("O_APPEND");
	put(fd, 0, SMALL_GROWN - SMALL_SIZE, SMALL_SIZE);
}

/* Nothing but the store: it has to find its way into the inode alone. */
static void small_stored(int fd)
{
}

/* No growth: a byte far from the stores is written again. */
static void small_inside(int fd)
{
	put(fd, 's', 1, SMALL_SIZE - 1);
}

void run_small(void)
{
	static const struct {
		const char *name;
		void (*change)(int fd);
		unsigned int size;
	} ways[] = {
		{ "small.ftruncate", small_ftruncate, SMALL_GROWN },
		{ "small.pwrite", small_pwrite, SMALL_GROWN },
		{ "small.fallocate", small_fallocate, SMALL_GROWN },
		{ "small.append", small_append, SMALL_GROWN },
		{ "small.inside", small_inside, SMALL_SIZE },
		{ "small.stored", small_stored, SMALL_SIZE },
	};
	char *content = buffer(SMALL_GROWN, 0), *map;
	unsigned int i;
	int fd;

	memset(content, 's', SMALL_SIZE);
	memset(content, 'S', SMALL_SIZE / 3);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		fd = unused_file(ways[i].name, 0);
		put(fd, 's', SMALL_SIZE, 0);
		sync_file(fd, NULL, 0);
		map = map_file(fd, SMALL_SIZE);
		memset(map, 'S', SMALL_SIZE / 3);
		ways[i].change(fd);
		if (map[0] != 'S')
			fail("%s: the store is gone", ways[i].name);
		sync_file(fd, map, SMALL_SIZE);
		munmap(map, SMALL_SIZE);
		want(ways[i].name, content, ways[i].size);
		close(fd);
	}
	free(content);
}

struct move_range {
	__u32 dst_fd;
	__u64 pos_in, pos_out, len;
};

#define MOVE_RANGE	_IOWR(0xf5, 9, struct move_range)

static char moved_byte(unsigned int page)
{
	return 'a' + page % 16;
}

/* Down by one page inside one file: a block that a checkpoint has is copied, to a page that is itself in the source. */
static void moved_down(void)
{
	struct move_range range = { .pos_in = page_size, .len = (CLONE_PAGES - 1) * page_size };
	unsigned int p, bad = 0;
	int fd = new_file("moved.down", 0);

	for (p = 0; p < CLONE_PAGES; p++)
		put(fd, moved_byte(p), page_size, p * page_size);
	sync_file(fd, NULL, 0);
	sync();
	range.dst_fd = fd;
	if (ioctl(fd, MOVE_RANGE, &range))
		die("F2FS_IOC_MOVE_RANGE inside one file");
	sync_file(fd, NULL, 0);
	forget(fd, NULL, 0);
	for (p = 0; p < CLONE_PAGES - 1; p++)
		bad += byte_at(fd, p * page_size) != moved_byte(p + 1);
	if (bad)
		fail("inside one file: %u pages of %u are not what was moved", bad, CLONE_PAGES - 1);
	if (byte_at(fd, (CLONE_PAGES - 1) * page_size))
		fail("inside one file: the last page still has what was moved");
	close(fd);
}

void run_moved(void)
{
	unsigned int i, p, n = rounds(5), lost = 0;
	size_t len = CLONE_PAGES * page_size;
	pthread_t thread;
	uint32_t got;

	for (i = 0; i < n; i++) {
		int fd = new_file("moved.from", 0), to = new_file("moved.to", 0);
		struct move_range range = { .dst_fd = to, .len = len };

		put(fd, 'm', len, 0);
		sync_file(fd, NULL, 0);
		thread = begin_stores(fd, CLONE_PAGES);
		if (ioctl(fd, MOVE_RANGE, &range)) {
			end_stores(thread);
			if (unsupported(errno))
				skip("no F2FS_IOC_MOVE_RANGE: %s", strerror(errno));
			die("F2FS_IOC_MOVE_RANGE");
		}
		end_stores(thread);
		if (byte_at(to, page_size / 2) != 'm')
			fail("the destination has not got what was moved");
		if (byte_at(fd, page_size / 2))
			fail("the source still has what was moved");
		for (p = 0; p < CLONE_PAGES; p++)
			*word(p, 7) = p + 1;
		sync_file(fd, stores.map, len);
		munmap(stores.map, len);
		forget(fd, NULL, 0);
		for (p = 0; p < CLONE_PAGES; p++)
			lost += pread(fd, &got, sizeof(got), p * page_size + 28) != sizeof(got) || got != p + 1;
		close(fd);
		close(to);
	}
	if (lost)
		fail("%u stores of %u to the source after the move are lost", lost, n * CLONE_PAGES);
	moved_down();
}

struct commit_range {
	__s32 file1_fd;
	__u32 pad;
	__u64 file1_offset, file2_offset, length, flags, fresh[6];
};

#define START_COMMIT	_IOR('X', 130, struct commit_range)
#define COMMIT_RANGE	_IOW('X', 131, struct commit_range)

/*
 * Copy the file, and put the copy in its place: -1 and EBUSY if the file has
 * changed. With @changed, it does, after the copy.
 */
static int commit_copy(int fd, char *buf, size_t len, bool changed)
{
	struct commit_range range = { .length = len };
	int tmp = new_file("commit.tmp", 0), ret;

	range.file1_fd = tmp;
	if (ioctl(fd, START_COMMIT, &range)) {
		if (errno == ENOTTY)
			skip("no XFS_IOC_START_COMMIT: %s", strerror(errno));
		die("XFS_IOC_START_COMMIT");
	}
	if (pread(fd, buf, len, 0) != (ssize_t)len || pwrite(tmp, buf, len, 0) != (ssize_t)len)
		die("copy");
	if (changed)
		*word(0, 7) = 'S';
	ret = ioctl(fd, COMMIT_RANGE, &range);
	if (ret && errno == EOPNOTSUPP)
		skip("no XFS_IOC_COMMIT_RANGE: %s", strerror(errno));
	if (ret && errno != EBUSY)
		die("XFS_IOC_COMMIT_RANGE");
	close(tmp);
	return ret;
}

/* Clean, and mapped for the stores. */
static int commit_file(size_t len)
{
	int fd = new_file("commit", 0);

	put(fd, 'c', len, 0);
	sync_file(fd, NULL, 0);
	stores.map = map_file(fd, len);
	return fd;
}

/* A page is dirty, @wait us later the copy begins, then the page is stored to. */
static void commit_dirty(char *buf, size_t len, unsigned int wait)
{
	unsigned int i, n = rounds(20), lost = 0;
	int fd;

	for (i = 0; i < n; i++) {
		fd = commit_file(len);
		*word(0, 0) = 1;
		usleep(wait);
		commit_copy(fd, buf, len, true);
		lost += *word(0, 7) != 'S';
		munmap(stores.map, len);
		close(fd);
	}
	if (lost)
		fail("%zu bytes, %u us: the store is lost in %u rounds of %u", len, wait, lost, n);
}

/* Pages are dirty when the copy begins, and stored to all the time. */
static void commit_beside(char *buf, size_t len)
{
	unsigned int i, p, n = rounds(20), here, lost = 0, bad = 0, done = 0;
	pthread_t thread;
	int fd;

	for (i = 0; i < n; i++) {
		fd = commit_file(len);
		stores.n = CLONE_PAGES;
		for (p = 0; p < CLONE_PAGES; p++)
			*word(p, 0) = 1;
		atomic_store(&stores.go, false);
		start_thread(&thread, store_once, NULL);
		while (!atomic_load(&stores.go))
			;
		for (p = 0; p < 3; p++)
			done += !commit_copy(fd, buf, len, false);
		pthread_join(thread, NULL);
		for (p = here = 0; p < CLONE_PAGES; p++)
			here += *word(p, shift_word(p)) != p + 1;
		lost += here;
		bad += here > 0;
		munmap(stores.map, len);
		close(fd);
	}
	ksft_print_msg("%u copies of %u put in the file's place\n", done, 3 * n);
	if (bad)
		fail("%u stores lost, in %u rounds of %u", lost, bad, n);
}

void run_commit(void)
{
	size_t len = CLONE_PAGES * page_size;
	char *buf = malloc(len);
	int fd = new_file("commit.quiet", 0);

	if (!buf)
		die("memory");
	put(fd, 'c', len, 0);
	stores.map = map_file(fd, len);
	*word(0, 7) = 'S';
	if (commit_copy(fd, buf, len, false))
		fail("refused, though nobody has changed the file");
	if (*word(0, 7) != 'S' || differs(fd, buf, len) >= 0)
		fail("what was copied is not in the file");
	munmap(stores.map, len);
	close(fd);
	commit_dirty(buf, 16 * page_size, 20000);
	commit_dirty(buf, page_size, 0);
	commit_beside(buf, len);
	free(buf);
}
