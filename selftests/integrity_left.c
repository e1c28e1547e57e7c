// SPDX-License-Identifier: GPL-2.0
/*
 * -l: umount alone has to write the last stores. They go to pages that are clean
 * and have their blocks: they were written, read from the disk, and written again.
 */
#include "fs_integrity.h"

#define LEFT_ID		8U
#define LEFT_PAGES	64U

void run_left(void)
{
	size_t w, bytes = LEFT_PAGES * page_size;
	__u64 *want = malloc(bytes);
	atomic_ullong *map;
	unsigned int gen;
	int fd;

	fd = open_in_dir("left", O_RDWR | O_CREAT | O_TRUNC);
	if (fd < 0 || !want || set_size(fd, bytes))
		die("%s/left", opt.dir);
	map = map_file(fd, "left", bytes);
	for (gen = 1; gen <= 3; gen++) {
		/* What an fsync() writes may stay queued for the next commit. */
		if (gen > 1 && (is_device(fd) ? fsync(fd) : syncfs(fd)))
			fail("syncfs: %s", strerror(errno));
		if (gen == 2) {
			madvise((void *)map, bytes, MADV_DONTNEED);
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		}
		for (w = 0; w < bytes / 8; w++) {
			want[w] = word(LEFT_ID, w, gen);
			atomic_store(&map[w], want[w]);
		}
	}
	state_one("left", LEFT_ID, want, bytes);
	free(want);
}
