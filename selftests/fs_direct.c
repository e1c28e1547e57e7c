// SPDX-License-Identifier: GPL-2.0
/* I/O calls on a file that is mapped. */
#include "fs_cases.h"

/*
 * selfio: the buffer of a read() or write() is a mapping of the very file, with
 * no PTE yet, so the call takes the fault with its own locks held. It must end,
 * and move the right bytes.
 */
#define SELF_PAGES	8U
#define SELF_SECONDS	60U
#define SELF_NO_DIRECT	40

static const struct self_case {
	const char *what;
	bool direct, write;
	unsigned int buf, file;	/* pages */
	bool cross;
} self_cases[] = {
	{ "read() of another page into the mapping",	false, false, 0, 1, false },
	{ "read() of a page into its own mapping",	false, false, 2, 2, false },
	{ "write() of a page from its own mapping",	false, true, 3, 3, false },
	{ "write() of a page from another page's",	false, true, 4, 5, false },
	{ "direct write from another page's mapping",	true, true, 4, 5, false },
	{ "direct read of another page into the mapping", true, false, 0, 1, false },
	{ "direct read of a page into its own mapping",	true, false, 2, 2, false },
	{ "direct reads of two files into each other's mapping", true, false, 0, 1, true },
	{ "read() of two files into each other's mapping", false, false, 0, 1, true },
};

static const char * const self_names[] = { "self.0", "self.1" };

struct self_io {
	const struct self_case *c;
	int fd;
	char *buf;
	ssize_t n;
	int err;
};

static void *self_call(void *arg)
{
	struct self_io *io = arg;
	off_t at = io->c->file * page_size;

	io->n = io->c->write ? pwrite(io->fd, io->buf, page_size, at) :
			       pread(io->fd, io->buf, page_size, at);
	io->err = errno;
	return NULL;
}

static int self_child(void *arg)
{
	const struct self_case *c = arg;
	unsigned int i, round, n = c->cross ? 2 : 1;
	size_t len = SELF_PAGES * page_size;
	struct self_io io[2];
	pthread_t thread[2];
	char *map[2];

	for (i = 0; i < 2; i++) {
		int fd = open_in_dir(self_names[i], O_RDWR);

		if (fd < 0)
			die("%s", self_names[i]);
		map[i] = map_file(fd, len);
		io[i].c = c;
		io[i].fd = c->direct ? open_direct(self_names[i]) : fd;
		if (io[i].fd < 0)
			return SELF_NO_DIRECT;
	}
	for (round = 0; round < (c->cross ? 50 : 1); round++) {
		for (i = 0; i < n; i++) {
			madvise(map[i], len, MADV_DONTNEED);
			io[i].buf = map[c->cross ? !i : i] + c->buf * page_size;
		}
		for (i = 0; i < n; i++)
			start_thread(&thread[i], self_call, &io[i]);
		for (i = 0; i < n; i++)
			pthread_join(thread[i], NULL);
		for (i = 0; i < n; i++) {
			if (io[i].n == (ssize_t)page_size)
				continue;
			if (c->direct && io[i].n < 0 && io[i].err == EINVAL)
				return SELF_NO_DIRECT;
			ksft_print_msg("%s: %zd, %s\n", c->what, io[i].n,
				       io[i].n < 0 ? strerror(io[i].err) : "short");
			return 1;
		}
	}
	for (i = 0; i < 2; i++)
		if (msync(map[i], len, MS_SYNC))
			return 2;
	return 0;
}

#define SELF_SMALL	300U

static int self_small_child(void *arg)
{
	int fd = open_in_dir("self.small", O_RDWR), direct = open_direct("self.small");
	char *map = map_file(fd, page_size);
	ssize_t n;

	if (direct < 0)
		return SELF_NO_DIRECT;
	n = pread(direct, map, page_size, 0);
	if (n < 0 && errno == EINVAL)
		return SELF_NO_DIRECT;
	return n != SELF_SMALL;
}

/* Its data may lie in the inode, whose lock the fault wants, too. */
static void self_small(void)
{
	static const char what[] = "direct read of a small file into its own mapping";
	int fd = new_file("self.small", 0), ret;

	put(fd, 's', SELF_SMALL, 0);
	if (fsync(fd))
		die("self.small");
	forget(fd, NULL, 0);
	ret = in_child(what, self_small_child, NULL, SELF_SECONDS);
	if (ret == SELF_NO_DIRECT)
		ksft_print_msg("%s: no direct I/O\n", what);
	else if (ret > 0)
		fail("%s: status %d", what, ret);
	else if (!ret)
		ksft_print_msg("%s: done\n", what);
	close(fd);
}

void run_selfio(void)
{
	char *content = buffer(SELF_PAGES * page_size, 0);
	unsigned int i, f, page;

	for (i = 0; i < ARRAY_SIZE(self_cases); i++) {
		const struct self_case *c = &self_cases[i];
		unsigned int from = c->write ? c->buf : c->file;
		unsigned int to = c->write ? c->file : c->buf;
		int fd, ret;

		for (f = 0; f < 2; f++) {
			fd = new_file(self_names[f], 0);
			for (page = 0; page < SELF_PAGES; page++) {
				put(fd, 'a' + page, page_size, page * page_size);
				memset(content + page * page_size, 'a' + page, page_size);
			}
			if (fsync(fd))
				die("%s", self_names[f]);
			forget(fd, NULL, 0);
			close(fd);
		}
		ret = in_child(c->what, self_child, (void *)c, SELF_SECONDS);
		if (ret == CHILD_STUCK)
			return;	/* with its locks: nothing else would end */
		if (ret == CHILD_LATE)
			continue;
		if (ret == SELF_NO_DIRECT) {
			ksft_print_msg("%s: no direct I/O\n", c->what);
			continue;
		}
		memset(content + to * page_size, 'a' + from, page_size);
		for (f = 0; f < (c->cross ? 2U : 1U) && !ret; f++) {
			fd = open_in_dir(self_names[f], O_RDONLY);
			if (fd < 0)
				die("%s", self_names[f]);
			if (differs(fd, content, SELF_PAGES * page_size) >= 0)
				fail("%s: wrong byte at %ld", c->what,
				     differs(fd, content, SELF_PAGES * page_size));
			want(self_names[f], content, SELF_PAGES * page_size);
			close(fd);
		}
		if (ret)
			fail("%s: status %d", c->what, ret);
		else
			ksft_print_msg("%s: done\n", c->what);
	}
	self_small();
	free(content);
}

/*
 * direct: direct I/O beside pages that stores to a mapping have made dirty. No
 * store is under way during the call, so the outcome is certain: the direct
 * write replaces what was stored before, and nothing else; what is stored
 * afterwards does not bring back anything older; a direct read sees what was
 * stored.
 */
#define DIRECT_PAGES	256U

/* The whole file is written directly, two of its pages are dirty before. */
static bool direct_write(unsigned int round, const char *name)
{
	size_t len = DIRECT_PAGES * page_size, last = 200 * page_size;
	char *content = buffer(len, 'D'), *buf = buffer(len, 'D'), *map;
	int fd = new_file(name, 0), direct = open_direct(name);
	bool ok = true;

	put(fd, 'o', len, 0);
	sync_file(fd, NULL, 0);
	forget(fd, NULL, 0);
	map = map_file(fd, len);
	madvise(map, len, MADV_RANDOM);
	/* NFS: from now on direct I/O does not look for dirty pages by itself. */
	if (pread(direct, buf, page_size, 0) != (ssize_t)page_size)
		fail("direct read: %s", strerror(errno));
	memset(buf, 'D', len);
	/* Not contiguous: two requests, which NFS commits afterwards. */
	map[0] = 'm';
	map[last] = 'm';
	if (pwrite(direct, buf, len, 0) != (ssize_t)len)
		fail("direct write: %s", strerror(errno));
	if (map[0] != 'D' || map[1] != 'D' || map[last] != 'D') {
		ksft_print_msg("round %u: the mapping does not show the direct write\n", round);
		ok = false;
	}
	map[100] = 'x';
	content[100] = 'x';
	sync_file(fd, map, len);
	munmap(map, len);
	forget(fd, NULL, 0);
	if (differs(fd, content, len) >= 0) {
		ksft_print_msg("round %u: the direct write is undone at %ld\n", round,
			       differs(fd, content, len));
		ok = false;
	}
	if (ok)
		want(name, content, len);
	close(fd);
	close(direct);
	free(content);
	free(buf);
	return ok;
}

static bool direct_read(unsigned int round, const char *name)
{
	size_t i, len = 16 * page_size;
	char *buf = buffer(len, 0), *map;
	int fd = new_file(name, 0), direct = open_direct(name);
	bool ok = true;

	put(fd, 'o', len, 0);
	sync_file(fd, NULL, 0);
	map = map_file(fd, len);
	for (i = 0; i < 16 && ok; i++) {
		map[i * page_size + 100] = 'a' + i;
		if (pread(direct, buf, len, 0) != (ssize_t)len)
			fail("direct read: %s", strerror(errno));
		ok = !memcmp(buf, map, len);
	}
	munmap(map, len);
	close(fd);
	close(direct);
	free(buf);
	return ok;
}

/* Dirty in one part of a page, written directly in another. */
static bool direct_part(unsigned int round, const char *name)
{
	size_t len = 4 * page_size;
	char *content = buffer(len, 'o'), *buf = buffer(page_size, 'D'), *map;
	int fd = new_file(name, 0), direct = open_direct(name);
	bool ok = true;
	ssize_t n;

	put(fd, 'o', len, 0);
	sync_file(fd, NULL, 0);
	map = map_file(fd, len);
	map[2000] = 'S';
	content[2000] = 'S';
	n = pwrite(direct, buf, 512, 0);
	if (n == 512) {
		memset(content, 'D', 512);
		ok = !memcmp(map, content, len);
		map[3000] = 'T';
		content[3000] = 'T';
		sync_file(fd, map, len);
		munmap(map, len);
		forget(fd, NULL, 0);
		ok = ok && differs(fd, content, len) < 0;
		if (ok)
			want(name, content, len);
	} else if (!unsupported(errno)) {
		fail("direct write of 512 bytes: %s", strerror(errno));
	} else if (!round) {
		ksft_print_msg("no direct write of 512 bytes: %s\n", strerror(errno));
	}
	close(fd);
	close(direct);
	free(content);
	free(buf);
	return ok;
}

/* Appended directly, the last page being dirty. */
static bool direct_append(unsigned int round, const char *name)
{
	size_t end = 2 * page_size + (round % 2 ? 968 : 1024), len = end + 512;
	char *content = buffer(len, 0), *buf = buffer(page_size, 'D'), *map;
	int fd = new_file(name, end);
	int direct = open_in_dir(name, O_WRONLY | O_APPEND | O_DIRECT);
	bool ok = true;

	sync_file(fd, NULL, 0);
	map = map_file(fd, 3 * page_size);
	map[2 * page_size] = 'S';
	content[2 * page_size] = 'S';
	if (direct >= 0 && write(direct, buf, 512) == 512) {
		memset(content + end, 'D', 512);
		map[end + 10] = 'T';
		content[end + 10] = 'T';
		sync_file(fd, map, 3 * page_size);
		munmap(map, 3 * page_size);
		forget(fd, NULL, 0);
		ok = differs(fd, content, len) < 0;
		if (ok)
			want(name, content, len);
	} else if (!unsupported(errno)) {
		fail("direct append: %s", strerror(errno));
	} else if (round < 2) {
		ksft_print_msg("no direct append at %zu: %s\n", end, strerror(errno));
	}
	close(fd);
	close(direct);
	free(content);
	free(buf);
	return ok;
}

void run_direct(void)
{
	static const struct {
		const char *name;
		bool (*fn)(unsigned int round, const char *name);
	} parts[] = {
		{ "write", direct_write },
		{ "read", direct_read },
		{ "part", direct_part },
		{ "append", direct_append },
	};
	unsigned int i, round, n = rounds(10);
	int direct;

	close(new_file("direct", 0));
	direct = open_direct("direct");
	if (direct < 0)
		skip("no direct I/O here (%s)", strerror(errno));
	close(direct);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		unsigned int wrong = 0;
		char name[32];

		for (round = 0; round < n; round++) {
			snprintf(name, sizeof(name), "direct.%s.%u", parts[i].name, round);
			wrong += !parts[i].fn(round, name);
		}
		if (wrong && !known(parts[i].name))
			fail("%s: wrong in %u of %u rounds", parts[i].name, wrong, n);
		else
			ksft_print_msg("%s: wrong in %u of %u rounds%s\n", parts[i].name, wrong, n,
				       known(parts[i].name) ? ", known" : "");
	}
}
