// SPDX-License-Identifier: GPL-2.0
/*
 * -w: a write() to the middle of a page that is not cached, then a load and a
 * store beside it. A network filesystem may have kept the range of the write()
 * only; the store must not be taken for a part of it.
 */
#include "fs_integrity.h"

#define PARTIAL_PAGES	32U

void run_partial(void)
{
	size_t w, page, bytes = PARTIAL_PAGES * page_size, words = page_size / 8;
	__u64 *want = malloc(bytes);
	atomic_ullong *map;
	int fd;

	fd = open_in_dir("partial", O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0 || !want)
		die("%s/partial", opt.dir);
	for (w = 0; w < bytes / 8; w++)
		want[w] = word(0, w, 1);
	if (pwrite(fd, want, bytes, 0) != (ssize_t)bytes || fsync(fd) ||
	    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die("%s/partial", opt.dir);
	map = map_file(fd, "partial", bytes);
	for (page = 0; page < PARTIAL_PAGES; page++) {
		size_t first = page * words + 1 + mix(opt.seed ^ page) % (words - 2);
		size_t before = page * words, behind = before + words - 1;

		want[first] = word(0, first, 2);
		if (pwrite(fd, &want[first], 8, (off_t)first * 8) != 8)
			fail("pwrite: %s", strerror(errno));
		for (w = before; w <= behind; w++)
			if (atomic_load(&map[w]) != want[w])
				mismatch("load", 0, w, want[w], atomic_load(&map[w]));
		w = page % 2 ? before : behind;
		want[w] = word(0, w, 2);
		atomic_store(&map[w], want[w]);
	}
	if (msync((void *)map, bytes, MS_SYNC) || fsync(fd))
		fail("%s", strerror(errno));
	state_one("partial", 0, want, bytes);
	free(want);
}
