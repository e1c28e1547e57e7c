// SPDX-License-Identifier: GPL-2.0
/*
 * -g: a file that grows under a mapping, and direct I/O to what was stored.
 * ->page_mkwrite prepares a page up to the end of the file. Once the file has
 * grown, the filesystem must be asked again for the rest of that page. And what
 * is written directly must not be overwritten by a page that was dirty before.
 *
 * Each round the file ends inside a page and grows by two pages, in one of four
 * ways; a thread stores to the last page meanwhile, so that it stays writable.
 * What is behind the old end is then stored through the mapping.
 */
#include "fs_integrity.h"

#define GROW_ID		5U
#define GROW_ROUNDS	64U
#define GROW_TAIL	968U	/* bytes in the last page */

static struct {
	atomic_ullong *map;
	pthread_mutex_t lock;	/* the thread stores with it held */
	size_t last;		/* where the last page begins */
} grow = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void grow_fill(__u64 *buf, size_t from, size_t to, unsigned int gen)
{
	size_t w;

	for (w = from / 8; w < to / 8; w++)
		buf[w - from / 8] = word(GROW_ID, w, gen);
}

static void grow_store(size_t from, size_t to)
{
	size_t w;

	for (w = from / 8; w < to / 8; w++)
		atomic_store(&grow.map[w], word(GROW_ID, w, 1));
}

static void *grow_thread(void *arg)
{
	while (!atomic_load(&stop)) {
		pthread_mutex_lock(&grow.lock);
		grow_store(grow.last, grow.last + 8);
		pthread_mutex_unlock(&grow.lock);
	}
	return NULL;
}

/*
 * Write page @at directly, store to it, and write it directly once more. The
 * thread waits: direct I/O beside stores to the same folio is undefined.
 */
static void grow_direct(int fd, size_t at, __u64 *buf)
{
	unsigned int gen;

	pthread_mutex_lock(&grow.lock);
	for (gen = 1; gen <= 2; gen++) {
		grow_fill(buf, at, at + page_size, gen);
		if (pwrite(fd, buf, page_size, at) != (ssize_t)page_size)
			fail("direct pwrite: %s", strerror(errno));
		if (gen == 1)
			grow_store(at, at + 8);
	}
	pthread_mutex_unlock(&grow.lock);
}

static void grow_truncate(int fd, size_t size)
{
	if (ftruncate(fd, size))
		fail("truncate to %zu: %s", size, strerror(errno));
}

void run_grow(void)
{
	size_t old, size = GROW_TAIL, max = 2 * GROW_ROUNDS * page_size + GROW_TAIL;
	__u64 *buf, *want = calloc(1, max);
	pthread_t pthread;
	int fd, direct;
	unsigned int i;

	fd = open_in_dir("grow", O_RDWR | O_CREAT | O_TRUNC);
	direct = open_in_dir("grow", O_RDWR | O_DIRECT);
	if (fd < 0 || ftruncate(fd, size) || !want ||
	    posix_memalign((void **)&buf, DIRECT_ALIGN, page_size))
		die("%s/grow", opt.dir);
	grow.map = map_file(fd, "grow", max);
	grow_fill(want, 0, max, 1);
	grow_store(0, size);
	if (pthread_create(&pthread, NULL, grow_thread, NULL))
		die("pthread_create");
	for (i = 0; i < GROW_ROUNDS; i++) {
		size_t middle = grow.last + page_size;

		old = size;
		size += 2 * page_size;
		switch (i % 4) {
		case 0:
			grow_fill(buf, size - 8, size, 1);
			if (pwrite(fd, buf, 8, size - 8) != 8)
				fail("pwrite: %s", strerror(errno));
			break;
		case 1:
			if (direct >= 0) {
				grow_direct(direct, middle, buf);
				grow_fill(want + middle / 8, middle, middle + page_size, 2);
				/* What comes now may write it back. */
				grow_store(old, middle);
			}
			grow_truncate(fd, size);
			break;
		case 2:
			if (fallocate(fd, 0, 0, size))
				grow_truncate(fd, size);
			break;
		case 3:
			grow_truncate(fd, size);
			break;
		}
		grow_store(old, middle);
		if (i % 4 != 1 || direct < 0)
			grow_store(middle, middle + page_size);
		grow_store(middle + page_size, size);
		pthread_mutex_lock(&grow.lock);
		grow.last = middle + page_size;
		pthread_mutex_unlock(&grow.lock);
	}
	atomic_store(&stop, true);
	pthread_join(pthread, NULL);
	if (msync((void *)grow.map, max, MS_SYNC) || fsync(fd))
		fail("%s", strerror(errno));
	munmap((void *)grow.map, max);
	state_one("grow", GROW_ID, want, size);
}
