// SPDX-License-Identifier: GPL-2.0
/*
 * -e: generation 1 is acknowledged, then the command given makes the device
 * fail, then generation 2 is stored: to blocks that exist, to holes, and not
 * at all.
 */
#include "fs_integrity.h"

#define EIO_PAGES	64U

static size_t eio_store(atomic_ullong *map, unsigned int id, size_t first, size_t n,
			unsigned int gen)
{
	sigjmp_buf jmp;
	atomic_size_t page = first;	/* survives the jump */
	size_t w;

	if (sigsetjmp(jmp, 1)) {
		bus_jmp = NULL;
		return page - first;
	}
	bus_jmp = &jmp;
	for (; page < first + n; page++)
		for (w = page * page_size / 8; w < (page + 1) * page_size / 8; w++)
			atomic_store(&map[w], word(id, w, gen));
	bus_jmp = NULL;
	return n;
}

void run_eio(void)
{
	static const char * const names[] = { "overwritten", "holes", "untouched" };
	atomic_ullong *map[3];
	size_t w, bytes = EIO_PAGES * page_size;
	__u64 *want = calloc(bytes / 8, sizeof(*want));
	unsigned int i, err;
	int fd[3];
	FILE *s;

	if (!want)
		die("memory");
	for (i = 0; i < 3; i++) {
		fd[i] = open_in_dir(names[i], O_RDWR | O_CREAT | O_TRUNC);
		if (fd[i] < 0 || set_size(fd[i], bytes))
			die("%s/%s", opt.dir, names[i]);
		map[i] = map_file(fd[i], names[i], bytes);
		if (i != 1 && eio_store(map[i], i, 0, EIO_PAGES, 1) != EIO_PAGES)
			fail("%s: SIGBUS on a healthy device", names[i]);
		if (msync((void *)map[i], bytes, MS_SYNC) || fsync(fd[i]))
			fail("%s: %s on a healthy device", names[i], strerror(errno));
	}
	sync();
	if (system(opt.error_cmd))
		die("%s: failed", opt.error_cmd);
	for (i = 0; i < 2; i++) {
		size_t stored = eio_store(map[i], i, 0, EIO_PAGES, 2);

		err = msync((void *)map[i], bytes, MS_SYNC) ? errno : 0;
		if (fsync(fd[i]) && !err)
			err = errno;
		ksft_print_msg("%s: %zu of %u pages stored, then msync and fsync: %s\n",
			       names[i], stored, EIO_PAGES, err ? strerror(err) : "fine");
		if (!err && stored)
			fail("%s: acknowledged by a device that fails all writes", names[i]);
	}
	s = state_create(3);
	for (i = 0; i < 3; i++) {
		for (w = 0; w < bytes / 8; w++)
			want[w] = word(i, w, i == 1 ? 0 : 1);
		state_file(s, names[i], i, bytes, i == 2 ? 0 : 2);
		state_words(s, want, bytes / 8);
	}
	state_close(s);
	free(want);
}
