// SPDX-License-Identifier: GPL-2.0
/* The end of a file, where another client or the server has changed something. */
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include "fs_cases.h"

/*
 * peer: another client, here by way of the server's own folder, appends to a file
 * that this one has open, and nothing has told this client the new size.
 */
#define PEER_OLD	700U
#define PEER_NEW	1500U

static int peer_open(const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", server_dir, name);
	fd = open(path, flags, 0600);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static void peer_append(const char *name, size_t at, size_t len)
{
	int fd = peer_open(name, O_WRONLY);

	put(fd, 'B', len, at);
	if (close(fd))
		die("%s", name);
}

/*
 * This client makes the file grow further. What the other one has appended is
 * kept, and seen here, whether the page was cached before, was read after, or
 * was stored to.
 */
static const char * const peer_ways[] = { "write", "truncate", "fallocate", "copy", "clone" };

static const char * const peer_states[] = { "cached", "read", "dirty" };

/* Return: how much of the content is certain now, or 0 if it cannot grow this way. */
static size_t peer_grow(unsigned int way, int fd, char *content)
{
	struct file_clone_range range = { .src_length = page_size, .dest_offset = 2 * page_size };
	size_t size = 3 * page_size;
	off_t in = 0, out = 2 * page_size;
	int ret = -1, source;

	errno = 0;
	switch (way) {
	case 0:
		memcpy(content + 3000, "new", 3);
		return pwrite(fd, "new", 3, 3000) == 3 ? 3003 : 0;
	case 1:
		return ftruncate(fd, size) ? 0 : size;
	case 2:
		return fallocate(fd, 0, 0, size) ? 0 : size;
	}
	source = new_file("source", 0);
	put(source, 'c', page_size, 0);
	sync_file(source, NULL, 0);
	memset(content + out, 'c', page_size);
	range.src_fd = source;
	if (way == 3)
		ret = copy_file_range(source, &in, fd, &out, page_size, 0) < (ssize_t)page_size;
	else
		ret = ioctl(fd, FICLONERANGE, &range);
	close(source);
	return ret ? 0 : size;
}

/* Return: 0 right, 1 wrong here, 2 lost on the server, 3 both, -1 not supported */
static int peer_one(unsigned int way, unsigned int state, unsigned int round)
{
	char name[64], *map, *content = buffer(3 * page_size, 0);
	size_t end;
	int fd, ret = 0;

	snprintf(name, sizeof(name), "peer.%s.%s.%u", peer_ways[way], peer_states[state], round);
	fd = new_file(name, 0);
	put(fd, 'o', PEER_OLD, 0);
	memset(content, 'o', PEER_OLD);
	memset(content + PEER_OLD, 'B', PEER_NEW - PEER_OLD);
	sync_file(fd, NULL, 0);
	map = map_file(fd, 3 * page_size);
	if (state)
		forget(fd, NULL, 0);
	else
		(void)*(volatile char *)map;
	peer_append(name, PEER_OLD, PEER_NEW - PEER_OLD);
	(void)*(volatile char *)map;
	if (state == 2) {
		map[0] = 'd';
		content[0] = 'd';
	}
	end = peer_grow(way, fd, content);
	if (!end) {
		if (!unsupported(errno))
			fail("%s: %s", peer_ways[way], strerror(errno));
		ret = -1;
	} else {
		if (differs(fd, content, end) >= 0)
			ret |= 1;
		/* The rest of the page may be sent with this. */
		map[1] = 'd';
		content[1] = 'd';
		sync_file(fd, map, 3 * page_size);
		munmap(map, 3 * page_size);
		forget(fd, NULL, 0);
		if (differs(fd, content, end) >= 0)
			ret |= 2;
		if (!ret)
			want(name, content, end);
	}
	close(fd);
	free(content);
	return ret;
}

static void peer_growth(void)
{
	unsigned int way, state, i, n = rounds(3);

	for (way = 0; way < ARRAY_SIZE(peer_ways); way++) {
		int ret = 0;

		for (state = 0; state < ARRAY_SIZE(peer_states) && ret >= 0; state++) {
			const char *how = peer_ways[way], *when = peer_states[state];
			unsigned int wrong = 0, lost = 0;

			for (i = 0; i < n && ret >= 0; i++) {
				ret = peer_one(way, state, i);
				if (ret < 0)
					break;
				wrong += ret & 1;
				lost += ret / 2;
			}
			if (ret < 0)
				ksft_print_msg("%s: not supported\n", how);
			else if (wrong || lost)
				fail("%s, %s: not seen in %u of %u rounds, lost in %u",
				     how, when, wrong, n, lost);
			else
				ksft_print_msg("%s, %s: kept\n", how, when);
		}
	}
}

/*
 * This client only stores to the page, by a mapping, twice. The reply to the first
 * WRITE brings the new size, and the second WRITE goes up to there: what the other
 * one has appended must still be in the page.
 */
static void peer_store(void)
{
	char content[PEER_NEW], name[32];
	unsigned int i, older = 0, lost = 0, n = rounds(5);

	memset(content, 'B', PEER_NEW);
	memset(content, 'o', PEER_OLD);
	memset(content, 'd', 2);
	for (i = 0; i < n; i++) {
		char *map;
		int fd;

		snprintf(name, sizeof(name), "peer.store.%u", i);
		fd = new_file(name, 0);
		put(fd, 'o', PEER_OLD, 0);
		sync_file(fd, NULL, 0);
		forget(fd, NULL, 0);
		map = map_file(fd, page_size);
		peer_append(name, PEER_OLD, PEER_NEW - PEER_OLD);
		/* A page that was busy has not been dropped. */
		if (((volatile char *)map)[PEER_OLD] != 'B') {
			older++;
			munmap(map, page_size);
			close(fd);
			continue;
		}
		map[0] = 'd';
		sync_file(fd, map, page_size);
		map[1] = 'd';
		sync_file(fd, map, page_size);
		munmap(map, page_size);
		forget(fd, NULL, 0);
		if (differs(fd, content, PEER_NEW) >= 0)
			lost++;
		else
			want(name, content, PEER_NEW);
		close(fd);
	}
	if (lost || older == n)
		fail("store: lost in %u of %u rounds, page older in %u", lost, n, older);
	else
		ksft_print_msg("store: kept, page older in %u of %u rounds\n", older, n);
}

/*
 * The replies of a read() bring the new size while it goes on, and it returns it.
 * From then on what is stored behind the old end is kept, as is the rest.
 */
#define PEER_LARGE	(1UL << 20)

static void peer_read(void)
{
	size_t old = PEER_LARGE + PEER_OLD, size = old + 1000, at = PEER_LARGE + 1000;
	char *content = buffer(size, 'o'), *buf = buffer(2 * PEER_LARGE, 0), *map, name[32];
	unsigned int i, told = 0, lost = 0, n = rounds(5);

	memset(content + old, 'B', size - old);
	content[PEER_LARGE] = 't';
	content[at] = 'S';
	for (i = 0; i < n; i++) {
		ssize_t got;
		int fd;

		snprintf(name, sizeof(name), "peer.read.%u", i);
		fd = new_file(name, 0);
		put(fd, 'o', old, 0);
		sync_file(fd, NULL, 0);
		forget(fd, NULL, 0);
		map = map_file(fd, 2 * PEER_LARGE);
		madvise(map, 2 * PEER_LARGE, MADV_RANDOM);
		map[PEER_LARGE] = 't';
		peer_append(name, old, size - old);
		got = pread(fd, buf, 2 * PEER_LARGE, 0);
		if (got == (ssize_t)size) {
			told++;
			map[at] = 'S';
			sync_file(fd, map, 2 * PEER_LARGE);
			munmap(map, 2 * PEER_LARGE);
			forget(fd, NULL, 0);
			if (differs(fd, content, size) >= 0)
				lost++;
			else
				want(name, content, size);
		}
		close(fd);
	}
	/* NFSv4 asks for no attributes in a READ. */
	if (lost)
		fail("read: new size told in %u of %u rounds, lost in %u", told, n, lost);
	else
		ksft_print_msg("read: new size told in %u of %u rounds, kept\n", told, n);
	free(content);
	free(buf);
}

/*
 * Another client has cut the file off, and this one knows. When it makes the file
 * grow again, what was cut off does not come back, though the page with the end
 * in between is not cached.
 */
static bool peer_cut_off(int fd, const char *map, const char *name)
{
	unsigned char cached[3];
	int server;

	if (mincore((void *)map, 3 * page_size, cached))
		die("mincore");
	if ((cached[0] & 1) || !(cached[1] & 1))
		return false;
	server = peer_open(name, O_WRONLY);
	if (ftruncate(server, PEER_OLD) || close(server))
		die("%s", name);
	if (!remote_size(fd, PEER_OLD))
		fail("cut: this client does not see the new size");
	return true;
}

static void peer_cut(void)
{
	char *content = buffer(3 * page_size, 0), *old = buffer(page_size, 'o'), name[32];
	unsigned int way, i, n = rounds(3);

	/* What write() makes of the page is beyond the end. */
	for (way = 1; way < ARRAY_SIZE(peer_ways); way++) {
		unsigned int asked = 0, back = 0;

		for (i = 0; i < n; i++) {
			char *map;
			int fd, reader;

			snprintf(name, sizeof(name), "peer.cut.%s.%u", peer_ways[way], i);
			fd = new_file(name, 0);
			put(fd, 'o', 3 * page_size, 0);
			sync_file(fd, NULL, 0);
			forget(fd, NULL, 0);
			/* stat() does not drop what no mapping can store to. */
			reader = open_in_dir(name, O_RDONLY);
			map = mmap(NULL, 3 * page_size, PROT_READ, MAP_SHARED, reader, 0);
			if (reader < 0 || map == MAP_FAILED)
				die("%s", name);
			madvise(map, 3 * page_size, MADV_RANDOM);
			if (memcmp(map + page_size, old, page_size))
				fail("cut: what was written is not read");
			if (peer_cut_off(fd, map, name) && peer_grow(way, fd, content)) {
				asked++;
				back += map[page_size] || map[2 * page_size - 1];
			}
			munmap(map, 3 * page_size);
			close(reader);
			close(fd);
		}
		if (back)
			fail("cut, %s: back in %u of %u rounds", peer_ways[way], back, asked);
		else
			ksft_print_msg("cut, %s: back in 0 of %u rounds\n", peer_ways[way], asked);
	}
	free(content);
	free(old);
}

/*
 * The server has no space left for what a mapping has stored. The pages here are
 * the only copy: they do not go away by a stat() of anybody, nor by a call that
 * changes another part of the file, before somebody has been told. And fsync()
 * still tells.
 */
#define FULL_PAGES	16U
#define FULL_SIZE	((FULL_PAGES - 1) * page_size + PEER_OLD)

enum {
	FULL_STAT, FULL_WRITE, FULL_TRUNCATE, FULL_DIRECT, FULL_FALLOCATE, FULL_PUNCH,
	FULL_COPY, FULL_CLONE, FULL_WAYS
};

static const char * const full_ways[] = {
	"stat", "write", "truncate", "direct", "fallocate", "punch", "copy", "clone",
};

static int full_fill(void)
{
	int ballast = peer_open("ballast", O_RDWR | O_CREAT);
	size_t chunk, at = 0;

	for (chunk = 64 << 20; chunk >= page_size; chunk /= 2)
		while (!fallocate(ballast, 0, at, chunk))
			at += chunk;
	return ballast;
}

static bool full_server_has(const char *name, const char *content)
{
	char *buf = buffer(FULL_SIZE, 0);
	int fd = peer_open(name, O_RDONLY);
	bool ret = pread(fd, buf, FULL_SIZE, 0) == (ssize_t)FULL_SIZE &&
		   !memcmp(buf, content, FULL_SIZE);

	close(fd);
	free(buf);
	return ret;
}

/* Return: 0 or an error; what there is no space for may fail */
static int full_change(unsigned int way, int fd, const char *name, int source)
{
	struct file_clone_range range = {
		.src_fd = source,
		.src_length = page_size,
		.dest_offset = (FULL_PAGES + 1) * page_size,
	};
	off_t in = 0, out = range.dest_offset;
	int direct, ret = -1;
	struct stat st;
	void *buf;

	switch (way) {
	case FULL_STAT:
		ret = fstat(fd, &st);
		break;
	case FULL_WRITE:
		ret = pwrite(fd, "w", 1, out) == 1 ? 0 : -1;
		break;
	case FULL_TRUNCATE:
		ret = ftruncate(fd, out);
		break;
	case FULL_DIRECT:
		buf = buffer(page_size, 'D');
		direct = open_direct(name);
		ret = pwrite(direct, buf, page_size, out) == (ssize_t)page_size ? 0 : -1;
		close(direct);
		free(buf);
		break;
	case FULL_FALLOCATE:
		ret = fallocate(fd, 0, out, page_size);
		break;
	case FULL_PUNCH:
		ret = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 2 * page_size);
		break;
	case FULL_COPY:
		ret = copy_file_range(source, &in, fd, &out, page_size, 0) < 0 ? -1 : 0;
		break;
	case FULL_CLONE:
		ret = ioctl(fd, FICLONERANGE, &range);
	}
	return ret ? errno : 0;
}

/* @early: the WRITEs have failed already. Return: whether the way is supported */
static bool full_one(unsigned int way, bool early, int fd, const char *name, int source)
{
	const char *how = full_ways[way], *when = early ? "failed before" : "fails";
	size_t len = FULL_PAGES * page_size;
	char *map = map_file(fd, len), *content = buffer(len, 'm');
	int err, told = 0;

	memset(map, 'm', len);
	/* stat() keeps it for longer. */
	if (early && way == FULL_STAT)
		told = msync(map, len, MS_SYNC) ? errno : 0;
	else if (early)
		syncfs(fd);
	err = full_change(way, fd, name, source);
	if (way == FULL_PUNCH && !err)
		memset(content + 100, 0, 2 * page_size);
	if (unsupported(err))
		ksft_print_msg("full, %s: not supported\n", how);
	else if (memcmp(map, content, FULL_SIZE))
		fail("full, %s (%s): what could not be written is dropped", how, when);
	else
		ksft_print_msg("full, %s (%s): kept\n", how, when);
	/* write() has told if the WRITE fails meanwhile. */
	if (!told)
		told = msync(map, len, MS_SYNC) ? errno : way == FULL_WRITE ? err : 0;
	if (told != ENOSPC && !full_server_has(name, content))
		fail("full, %s (%s): fsync() does not tell: %s", how, when, strerror(told));
	munmap(map, len);
	free(content);
	return !unsupported(err);
}

static void peer_full(void)
{
	int fd[FULL_WAYS][2], source = new_file("peer.full.source", 0), ballast;
	char name[FULL_WAYS][2][32];
	unsigned int way, early;
	bool more = true;

	put(source, 'c', page_size, 0);
	sync_file(source, NULL, 0);
	for (way = 0; way < FULL_WAYS; way++) {
		for (early = 0; early < 2; early++) {
			snprintf(name[way][early], sizeof(name[way][early]), "peer.full.%s.%u",
				 full_ways[way], early);
			fd[way][early] = new_file(name[way][early], FULL_SIZE);
		}
	}
	ballast = full_fill();
	/*
	 * A write() drops what could not be written before, as a read() does. Where the
	 * server does not copy, a copy is that.
	 */
	for (way = 0; way < FULL_WAYS && (more || way < FULL_FALLOCATE); way++)
		for (early = 0; early < (way == FULL_WRITE ? 1 : 2); early++)
			more = full_one(way, early, fd[way][early], name[way][early], source);
	if (ftruncate(ballast, 0))
		die("ballast");
	close(ballast);
	close(source);
	for (way = 0; way < FULL_WAYS; way++)
		for (early = 0; early < 2; early++)
			close(fd[way][early]);
}

/*
 * What a mapping has stored on both sides of the end could not be written, and
 * close() has told. When the file grows then, what is behind the old end does not
 * become contents: not here, and not on the server by the next store.
 */
static void peer_told(void)
{
	char *map[ARRAY_SIZE(peer_ways)], *content = buffer(3 * page_size, 0);
	char name[ARRAY_SIZE(peer_ways)][32], c;
	int fd[ARRAY_SIZE(peer_ways)], ballast;
	unsigned int way;

	for (way = 0; way < ARRAY_SIZE(peer_ways); way++) {
		snprintf(name[way], sizeof(name[way]), "peer.told.%s", peer_ways[way]);
		fd[way] = new_file(name[way], PEER_OLD);
		map[way] = map_file(fd[way], 3 * page_size);
	}
	ballast = full_fill();
	for (way = 0; way < ARRAY_SIZE(peer_ways); way++) {
		int other = open_in_dir(name[way], O_RDWR);

		if (other < 0)
			die("%s", name[way]);
		map[way][0] = 'm';
		map[way][1000] = 'G';
		if (!close(other)) {
			syncfs(fd[way]);
			if (!close(open_in_dir(name[way], O_RDWR)))
				fail("told, %s: close() does not tell", peer_ways[way]);
		}
	}
	if (ftruncate(ballast, 0))
		die("ballast");
	close(ballast);
	for (way = 0; way < ARRAY_SIZE(peer_ways); way++) {
		const char *how = peer_ways[way];
		size_t end = peer_grow(way, fd[way], content);

		/* write() tells each descriptor, and has written. */
		if (!end && errno == ENOSPC)
			end = peer_grow(way, fd[way], content);
		if (!end) {
			if (!unsupported(errno))
				fail("told, %s: %s", how, strerror(errno));
			ksft_print_msg("told, %s: not supported\n", how);
		} else if (((volatile char *)map[way])[1000] == 'G') {
			fail("told, %s: what was stored behind the end is contents", how);
		} else {
			map[way][1] = 'd';
			/* This descriptor has not been told yet. */
			msync(map[way], 3 * page_size, MS_SYNC);
			sync_file(fd[way], map[way], 3 * page_size);
			forget(fd[way], NULL, 0);
			if (pread(fd[way], &c, 1, 1000) != 1 || c)
				fail("told, %s: what was stored behind the end is sent", how);
			else
				ksft_print_msg("told, %s: dropped\n", how);
		}
		munmap(map[way], 3 * page_size);
		close(fd[way]);
	}
	free(content);
}

/*
 * A direct write that makes the file grow is under way, and nobody waits for it
 * in the call. The last page is stored to meanwhile. Once the end of the write
 * is known, what is stored behind the old end is kept.
 */
static bool peer_async_one(aio_context_t ctx, unsigned int round, int server)
{
	size_t size = 3 * page_size;
	char name[32], *map, *content = buffer(size, 0), *buf = buffer(page_size, 'D');
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PWRITE }, *cbs = &cb;
	struct io_event event;
	bool ok = true;
	int fd, direct;

	snprintf(name, sizeof(name), "peer.async.%u", round);
	fd = new_file(name, PEER_OLD);
	direct = open_direct(name);
	if (direct < 0)
		die("O_DIRECT");
	sync_file(fd, NULL, 0);
	map = map_file(fd, size);
	cb.aio_fildes = direct;
	cb.aio_buf = (unsigned long)buf;
	cb.aio_nbytes = page_size;
	cb.aio_offset = 2 * page_size;
	memset(content + 2 * page_size, 'D', page_size);
	if (ioctl(server, FIFREEZE, 0))
		die("FIFREEZE");
	if (syscall(__NR_io_submit, ctx, 1, &cbs) != 1)
		fail("async: io_submit: %s", strerror(errno));
	map[0] = 's';
	content[0] = 's';
	if (ioctl(server, FITHAW, 0))
		die("FITHAW");
	if (syscall(__NR_io_getevents, ctx, 1, 1, &event, NULL) != 1 ||
	    event.res != (long)page_size)
		fail("async: the direct write ended with %lld", (long long)event.res);
	map[1000] = 'S';
	content[1000] = 'S';
	sync_file(fd, map, size);
	munmap(map, size);
	forget(fd, NULL, 0);
	if (differs(fd, content, size) >= 0)
		ok = false;
	else
		want(name, content, size);
	close(fd);
	close(direct);
	free(content);
	free(buf);
	return ok;
}

static void peer_async(void)
{
	int server = open(server_dir, O_RDONLY | O_DIRECTORY);
	unsigned int i, lost = 0, n = rounds(5);
	aio_context_t ctx = 0;

	if (syscall(__NR_io_setup, 1, &ctx)) {
		ksft_print_msg("async: no io_setup(): %s\n", strerror(errno));
		return;
	}
	for (i = 0; i < n; i++)
		lost += !peer_async_one(ctx, i, server);
	syscall(__NR_io_destroy, ctx);
	close(server);
	if (lost)
		fail("async: lost in %u of %u rounds", lost, n);
	else
		ksft_print_msg("async: kept\n");
}

void run_peer(void)
{
	if (!server_dir)
		skip("no server's folder to write to");
	peer_growth();
	peer_store();
	peer_read();
	peer_async();
	peer_cut();
	peer_full();
	peer_told();
}
