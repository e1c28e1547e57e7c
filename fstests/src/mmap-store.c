// SPDX-License-Identifier: GPL-2.0
/*
 * Stores through a shared mapping that nothing may lose, and some that nobody
 * may see. Each command ends with 0 if the file is as it should be.
 *
 *	mmap-store grow FILE [ROUNDS]	a write makes the file grow during a
 *					write fault; then a store behind the
 *					old end
 *	mmap-store direct FILE ALIGN	the same by a direct write, and not at
 *					the same time
 *	mmap-store behind FILE WAY	a store behind the end of the file, which
 *					then grows: truncate, write, fallocate, or
 *					direct:ALIGN
 *	mmap-store first FILE N		make N small files, FILE.0 ..., store to
 *	mmap-store again FILE N		each, once more after a mount, no sync
 *	mmap-store look FILE N		and look at them after the next mount
 *	mmap-store pinned FILE DEVICE	a slow direct read of DEVICE into the
 *					mapping lasts longer than an fsync
 *	mmap-store compare FILE DEVICE	the file has what DEVICE has
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PINNED_LEN	(1 << 16)

static long page;

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	if (errno)
		fprintf(stderr, ": %s", strerror(errno));
	fputc('\n', stderr);
	exit(1);
}

static int open_file(const char *name, int flags)
{
	int fd = open(name, O_RDWR | flags, 0600);

	if (fd < 0)
		die("open %s", name);
	return fd;
}

static char *map_file(int fd, size_t len)
{
	char *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die("mmap");
	return map;
}

static char *filled(size_t len, int c)
{
	char *buf;

	if (posix_memalign((void **)&buf, 1 << 16, len))
		die("no memory");
	memset(buf, c, len);
	return buf;
}

static void put(int fd, const void *buf, size_t len, off_t pos)
{
	if (pwrite(fd, buf, len, pos) != (ssize_t)len)
		die("pwrite at %lld", (long long)pos);
}

/* What is in the file itself, not in the page cache as far as that can go. */
static char in_file(int fd, off_t pos)
{
	char c;

	if (fsync(fd))
		die("fsync");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (pread(fd, &c, 1, pos) != 1)
		die("pread at %lld", (long long)pos);
	return c;
}

/* The two threads of "grow" spin for different times after this. */
static pthread_barrier_t start, end;
static int grow_fd;
static unsigned int grow_wait;

static void spin(unsigned int n)
{
	while (n--)
		__asm__ volatile("" ::: "memory");
}

static void *grower(void *unused)
{
	for (;;) {
		pthread_barrier_wait(&start);
		spin(grow_wait);
		put(grow_fd, "g", 1, 1 << 20);
		pthread_barrier_wait(&end);
	}
	return unused;
}

static int grow(const char *name, int rounds)
{
	size_t len = 16 * page;
	int fd = open_file(name, O_CREAT | O_TRUNC), lost = 0, i;
	char *buf = filled(len, 'a'), *map = map_file(fd, len);
	pthread_t thread;

	grow_fd = fd;
	pthread_barrier_init(&start, NULL, 2);
	pthread_barrier_init(&end, NULL, 2);
	if (pthread_create(&thread, NULL, grower, NULL))
		die("no thread");
	for (i = 0; i < rounds; i++) {
		unsigned int wait = random() % 40000;

		/*
		 * A large folio, if there are any, that stays one when it is cut,
		 * since it is dirty; then clean.
		 */
		if (ftruncate(fd, 0))
			die("ftruncate");
		put(fd, buf, len, 0);
		if (fsync(fd))
			die("fsync");
		put(fd, "b", 1, 0);
		if (ftruncate(fd, 4 * page) || fsync(fd))
			die("cutting the file");

		grow_wait = random() % 20000;
		pthread_barrier_wait(&start);
		spin(wait);
		map[0] = 's';
		pthread_barrier_wait(&end);
		/* Behind the old end, and long before the new one */
		map[5 * page] = 'S';
		if (msync(map, len, MS_SYNC))
			die("msync");
		madvise(map, len, MADV_DONTNEED);
		lost += in_file(fd, 5 * page) != 'S';
	}
	errno = 0;
	if (lost)
		die("lost %d of %d stores that msync said are written", lost, rounds);
	return 0;
}

static int direct(const char *name, size_t align)
{
	int fd = open_file(name, O_CREAT | O_TRUNC);
	int dfd = open_file(name, O_DIRECT);
	off_t size = (long)align < page ? (off_t)align / 2 : page + 100;
	char *map = map_file(fd, 4 * page), *buf = filled(align, 'd');
	/* Behind the end, in the page of the end */
	off_t store = size / page * page + page - 8;

	put(fd, filled(size, 'a'), size, 0);
	if (fsync(fd))
		die("fsync");
	map[size - 1] = 's';
	put(dfd, buf, align, 8 * (1 << 16));
	map[store] = 'S';
	if (msync(map, 4 * page, MS_SYNC))
		die("msync");
	munmap(map, 4 * page);
	errno = 0;
	if (in_file(fd, store) != 'S')
		die("lost a store behind the old end");
	if (in_file(fd, size - 1) != 's')
		die("lost a store in front of the old end");
	return 0;
}

static int behind(const char *name, const char *way)
{
	int fd = open_file(name, O_CREAT | O_TRUNC);
	char *map = map_file(fd, page);

	put(fd, filled(700, 'a'), 700, 0);
	map[699] = 's';
	map[page - 8] = 'B';
	if (!strcmp(way, "truncate")) {
		if (ftruncate(fd, 8 << 16))
			die("ftruncate");
	} else if (!strcmp(way, "write")) {
		put(fd, "w", 1, 8 << 16);
	} else if (!strcmp(way, "fallocate")) {
		if (fallocate(fd, 0, 0, 8 << 16))
			die("fallocate");
	} else {
		size_t align = atoi(way + strlen("direct:"));

		put(open_file(name, O_DIRECT), filled(align, 'd'), align, 8 << 16);
	}
	errno = 0;
	if (map[page - 8])
		die("%s: the mapping shows what was stored behind the end", way);
	if (in_file(fd, page - 8))
		die("%s: what was stored behind the end is in the file", way);
	if (in_file(fd, 699) != 's')
		die("%s: lost a store in front of the end", way);
	return 0;
}

static int small_files(const char *name, const char *what, int n)
{
	int i, bad = 0;

	for (i = 0; i < n; i++) {
		char path[4096], *map;
		int fd;

		snprintf(path, sizeof(path), "%s.%d", name, i);
		fd = open_file(path, *what == 'f' ? O_CREAT | O_TRUNC : 0);
		if (*what == 'f')
			put(fd, filled(97, 'a'), 97, 0);
		map = map_file(fd, 97);
		switch (*what) {
		case 'f':
			map[0] = 'f';
			if (msync(map, 97, MS_SYNC) || fsync(fd))
				die("msync");
			break;
		case 'a':
			if (map[0] != 'f')
				bad++;
			/* Read from the disk; dirty, clean, dirty. */
			map[1] = 'g';
			if (msync(map, 97, MS_SYNC))
				die("msync");
			map[2] = 'h';
			break;
		default:
			if (memcmp(map, "fgha", 4))
				bad++;
		}
		munmap(map, 97);
		close(fd);
	}
	errno = 0;
	if (bad)
		die("%s: %d of %d files lost a store", what, bad, n);
	return 0;
}

static int pinned_source;

static void *reader(void *map)
{
	if (pread(pinned_source, map, PINNED_LEN, 0) != PINNED_LEN)
		die("direct read into the mapping");
	return map;
}

static int pinned(const char *name, const char *device)
{
	int fd = open_file(name, O_CREAT | O_TRUNC);
	char *map = map_file(fd, PINNED_LEN);
	pthread_t thread;

	put(fd, filled(PINNED_LEN, 'a'), PINNED_LEN, 0);
	if (fsync(fd))
		die("fsync");
	pinned_source = open(device, O_RDONLY | O_DIRECT);
	if (pinned_source < 0)
		die("open %s", device);
	if (pthread_create(&thread, NULL, reader, map))
		die("no thread");
	/* The device answers after ten seconds. */
	sleep(2);
	if (fsync(fd))
		die("fsync during the read");
	pthread_join(thread, NULL);
	if (msync(map, PINNED_LEN, MS_SYNC) || fsync(fd))
		die("msync");
	return 0;
}

static int compare(const char *name, const char *device)
{
	char *a = filled(PINNED_LEN, 0), *b = filled(PINNED_LEN, 1);

	if (pread(open_file(name, 0), a, PINNED_LEN, 0) != PINNED_LEN ||
	    pread(open(device, O_RDONLY), b, PINNED_LEN, 0) != PINNED_LEN)
		die("pread");
	errno = 0;
	if (memcmp(a, b, PINNED_LEN))
		die("lost what the direct read has stored");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	const char *arg = argc > 3 ? argv[3] : "";

	page = sysconf(_SC_PAGESIZE);
	if (!strcmp(what, "grow"))
		return grow(argv[2], argc > 3 ? atoi(arg) : 2000);
	if (argc > 3 && !strcmp(what, "direct"))
		return direct(argv[2], atoi(arg));
	if (argc > 3 && !strcmp(what, "behind"))
		return behind(argv[2], arg);
	if (argc > 3 && (!strcmp(what, "first") || !strcmp(what, "again") || !strcmp(what, "look")))
		return small_files(argv[2], what, atoi(arg));
	if (argc > 3 && !strcmp(what, "pinned"))
		return pinned(argv[2], arg);
	if (argc > 3 && !strcmp(what, "compare"))
		return compare(argv[2], arg);
	fprintf(stderr, "usage: see the head of %s.c\n", argv[0]);
	return 2;
}
