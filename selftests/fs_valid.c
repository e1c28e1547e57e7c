// SPDX-License-Identifier: GPL-2.0
/* What is content, and what is not: behind valid data, and on both sides of an end that moves. */
#include "fs_cases.h"

/*
 * unwritten: what nobody has written is zeros, however it is read and whatever
 * else is written, not what the disk held before; scripts/guest/fs has left
 * something there. exfat has blocks for all of it, and one size of what is valid.
 */
#define UNWRITTEN_BYTES	(1UL << 20)
#define UNWRITTEN_AT	(UNWRITTEN_BYTES / 2)
#define UNWRITTEN_READ	(64UL << 10)

static struct {
	pthread_barrier_t barrier;
	volatile char *map;
	unsigned int delay;
	bool stop;
} beside;

static void *beside_store(void *arg)
{
	for (;;) {
		pthread_barrier_wait(&beside.barrier);
		if (beside.stop)
			return NULL;
		spin(beside.delay);
		*beside.map = 'S';
		pthread_barrier_wait(&beside.barrier);
	}
}

static void beside_start(pthread_t *thread, void *(*fn)(void *arg))
{
	beside.stop = false;
	pthread_barrier_init(&beside.barrier, NULL, 2);
	start_thread(thread, fn, NULL);
}

static void beside_stop(pthread_t thread)
{
	beside.stop = true;
	pthread_barrier_wait(&beside.barrier);
	pthread_join(thread, NULL);
}

/* Where [p, p + len) is not zero, or -1. */
static long not_zero(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i])
			return i;
	return -1;
}

/* A direct read whose buffer is a mapping of the same file, behind what it reads. */
static bool unwritten_self(unsigned int round, const char *name)
{
	int fd = new_file(name, UNWRITTEN_BYTES), direct = open_direct(name);
	char *map = map_file(fd, UNWRITTEN_BYTES);
	ssize_t n = pread(direct, map + UNWRITTEN_AT, UNWRITTEN_READ, 0);
	bool ok = n == (ssize_t)UNWRITTEN_READ;

	if (!ok)
		fail("direct read: %zd, %s", n, n < 0 ? strerror(errno) : "short");
	sync_file(fd, map, UNWRITTEN_BYTES);
	ok = ok && not_zero(map, UNWRITTEN_BYTES) < 0;
	munmap(map, UNWRITTEN_BYTES);
	close(direct);
	close(fd);
	return ok;
}

/* A direct read, and a store behind what it reads at the same time. */
static bool unwritten_beside(unsigned int round, const char *name)
{
	char *buf = buffer(UNWRITTEN_AT, 'b');
	unsigned int i, wrong = 0;
	pthread_t thread;

	beside_start(&thread, beside_store);
	for (i = 0; i < 50; i++) {
		int fd = new_file(name, 0), direct = open_direct(name);
		char *map;

		if (ftruncate(fd, UNWRITTEN_BYTES))
			die("ftruncate");
		map = map_file(fd, UNWRITTEN_BYTES);
		beside.map = map + UNWRITTEN_BYTES - page_size;
		beside.delay = rand() % 30000;
		pthread_barrier_wait(&beside.barrier);
		if (pread(direct, buf, UNWRITTEN_AT, 0) != (ssize_t)UNWRITTEN_AT)
			fail("direct read: %s", strerror(errno));
		pthread_barrier_wait(&beside.barrier);
		wrong += not_zero(buf, UNWRITTEN_AT) >= 0;
		munmap(map, UNWRITTEN_BYTES);
		close(direct);
		close(fd);
	}
	beside_stop(thread);
	free(buf);
	return !wrong;
}

/* A store far behind what was written, to a file that has got its blocks since it was mapped. */
static bool unwritten_mapped(unsigned int round, const char *name)
{
	char *content = buffer(UNWRITTEN_BYTES, 0), *map;
	int fd = new_file(name, 0);
	bool ok;

	put(fd, 'w', page_size, 0);
	memset(content, 'w', page_size);
	sync_file(fd, NULL, 0);
	map = map_file(fd, UNWRITTEN_BYTES);
	if (fallocate(fd, 0, 0, UNWRITTEN_BYTES) &&
	    (!unsupported(errno) || ftruncate(fd, UNWRITTEN_BYTES)))
		die("fallocate");
	map[UNWRITTEN_AT] = 'S';
	content[UNWRITTEN_AT] = 'S';
	sync_file(fd, map, UNWRITTEN_BYTES);
	munmap(map, UNWRITTEN_BYTES);
	forget(fd, NULL, 0);
	ok = differs(fd, content, UNWRITTEN_BYTES) < 0;
	if (ok)
		want(name, content, UNWRITTEN_BYTES);
	close(fd);
	free(content);
	return ok;
}

/* One byte is appended. */
static bool unwritten_append(unsigned int round, const char *name)
{
	char *content = buffer(UNWRITTEN_BYTES + 1, 0);
	int fd = new_file(name, UNWRITTEN_BYTES);
	int append = open_in_dir(name, O_WRONLY | O_APPEND);
	bool ok;

	if (write(append, "a", 1) != 1)
		die("%s", name);
	content[UNWRITTEN_BYTES] = 'a';
	sync_file(fd, NULL, 0);
	forget(fd, NULL, 0);
	ok = differs(fd, content, UNWRITTEN_BYTES + 1) < 0;
	if (ok)
		want(name, content, UNWRITTEN_BYTES + 1);
	close(append);
	close(fd);
	free(content);
	return ok;
}

/* A write(2) of which only a part can be copied: the rest of its blocks is not content. */
static bool unwritten_short(unsigned int round, const char *name)
{
	char *content = buffer(UNWRITTEN_BYTES, 0), *buf;
	int fd = new_file(name, UNWRITTEN_BYTES);
	bool ok;

	buf = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED || mprotect(buf + page_size, page_size, PROT_NONE))
		die("no buffer");
	memset(buf, 's', page_size);
	if (pwrite(fd, buf + page_size - 100, 1000, 0) == 100)
		memset(content, 's', 100);
	ok = differs(fd, content, UNWRITTEN_BYTES) < 0;
	sync_file(fd, NULL, 0);
	forget(fd, NULL, 0);
	ok = differs(fd, content, UNWRITTEN_BYTES) < 0 && ok;
	if (ok)
		want(name, content, UNWRITTEN_BYTES);
	munmap(buf, 2 * page_size);
	close(fd);
	free(content);
	return ok;
}

/*
 * A sector is appended directly, and its page is stored to at the same time. Where
 * this goes wrong the kernel says so in its log, and in what fsync() returns.
 */
static bool unwritten_sector(unsigned int round, const char *name)
{
	char *buf = buffer(512, 'D'), *content = buffer(1024, 'o');
	unsigned int i, wrong = 0;
	pthread_t thread;

	if (known("sector"))
		return true;
	memset(content + 512, 'D', 512);
	*content = 'S';
	beside_start(&thread, beside_store);
	for (i = 0; i < 100; i++) {
		int fd = new_file(name, 0), direct = open_direct(name);
		char *map;
		ssize_t n;

		put(fd, 'o', 512, 0);
		sync_file(fd, NULL, 0);
		map = map_file(fd, page_size);
		beside.map = map;
		beside.delay = rand() % 20000;
		pthread_barrier_wait(&beside.barrier);
		n = pwrite(direct, buf, 512, 512);
		if (n != 512 && !unsupported(errno))
			fail("direct write: %s", strerror(errno));
		pthread_barrier_wait(&beside.barrier);
		sync_file(fd, map, page_size);
		munmap(map, page_size);
		forget(fd, NULL, 0);
		wrong += n == 512 && differs(fd, content, 1024) >= 0;
		close(direct);
		close(fd);
	}
	beside_stop(thread);
	free(content);
	free(buf);
	return !wrong;
}

/*
 * grown: a file grows, and what is written or stored from then on behind the
 * old end is content: nothing that clears what was behind the old end clears
 * that, too. What was stored there before is none.
 */
#define GROWN_OLD	100U
#define GROWN_ROUNDS	300U

static int grown_fd;

static void *grown_append(void *arg)
{
	char *buf = buffer(page_size, 'a');

	for (;;) {
		pthread_barrier_wait(&beside.barrier);
		if (beside.stop)
			return NULL;
		spin(beside.delay);
		if (pwrite(grown_fd, buf, page_size - GROWN_OLD, GROWN_OLD) !=
		    (ssize_t)(page_size - GROWN_OLD))
			fail("write: %s", strerror(errno));
		pthread_barrier_wait(&beside.barrier);
	}
}

/* write() appends to a page while it is prepared for a store. */
static bool grown_write(unsigned int round, const char *name)
{
	char *content = buffer(page_size, 'a'), *map;
	unsigned int i, wrong = 0;
	pthread_t thread;

	memset(content, 'o', GROWN_OLD);
	*content = 'S';
	beside_start(&thread, grown_append);
	for (i = 0; i < GROWN_ROUNDS; i++) {
		grown_fd = new_file(name, 0);
		put(grown_fd, 'o', GROWN_OLD, 0);
		map = map_file(grown_fd, page_size);
		(void)*(volatile char *)map;
		beside.delay = rand() % 20000;
		pthread_barrier_wait(&beside.barrier);
		spin(rand() % 20000);
		*map = 'S';
		pthread_barrier_wait(&beside.barrier);
		wrong += differs(grown_fd, content, page_size) >= 0;
		munmap(map, page_size);
		close(grown_fd);
	}
	beside_stop(thread);
	free(content);
	if (wrong)
		ksft_print_msg("write: %u of %u\n", wrong, i);
	return !wrong;
}

static char *grown_other;

static void *grown_next(void *arg)
{
	for (;;) {
		pthread_barrier_wait(&beside.barrier);
		if (beside.stop)
			return NULL;
		spin(beside.delay);
		if (pwrite(grown_fd, "n", 1, page_size) != 1)
			fail("write: %s", strerror(errno));
		grown_other[3000] = 'V';
		pthread_barrier_wait(&beside.barrier);
	}
}

/* As above, and a PTE of another mapping is writable all the time. */
static bool grown_mapped(unsigned int round, const char *name)
{
	char *content = buffer(page_size, 0), *map;
	unsigned int i, wrong = 0;
	pthread_t thread;

	memset(content, 'o', GROWN_OLD);
	*content = 'S';
	content[3000] = 'V';
	beside_start(&thread, grown_next);
	for (i = 0; i < GROWN_ROUNDS; i++) {
		grown_fd = new_file(name, 0);
		put(grown_fd, 'o', GROWN_OLD, 0);
		map = map_file(grown_fd, page_size);
		grown_other = map_file(grown_fd, page_size);
		*grown_other = 'o';
		(void)*(volatile char *)map;
		beside.delay = rand() % 20000;
		pthread_barrier_wait(&beside.barrier);
		spin(rand() % 20000);
		*map = 'S';
		pthread_barrier_wait(&beside.barrier);
		wrong += differs(grown_fd, content, page_size) >= 0;
		munmap(map, page_size);
		munmap(grown_other, page_size);
		close(grown_fd);
	}
	beside_stop(thread);
	free(content);
	if (wrong)
		ksft_print_msg("mapped: %u of %u\n", wrong, i);
	return !wrong;
}

static atomic_bool grown_done;

static void *grown_fallocate_thread(void *arg)
{
	if (fallocate(grown_fd, 0, 0, 512UL << 20))
		fail("fallocate: %s", strerror(errno));
	atomic_store(&grown_done, true);
	return NULL;
}

/* Stores beside a fallocate() that takes several steps. */
static bool grown_fallocate(unsigned int round, const char *name)
{
	unsigned int i, stores, wrong = 0;
	volatile unsigned int *at;
	bool lost;
	pthread_t thread;
	struct stat st;
	char *map;

	for (i = 0; i < 10; i++) {
		grown_fd = new_file(name, 0);
		put(grown_fd, 'o', GROWN_OLD, 0);
		if (fallocate(grown_fd, FALLOC_FL_KEEP_SIZE, 0, page_size)) {
			close(grown_fd);
			return true;
		}
		sync_file(grown_fd, NULL, 0);
		map = map_file(grown_fd, page_size);
		at = (unsigned int *)(map + 1000);
		atomic_store(&grown_done, false);
		start_thread(&thread, grown_fallocate_thread, NULL);
		do {
			if (fstat(grown_fd, &st))
				die("fstat");
		} while (st.st_size == GROWN_OLD && !atomic_load(&grown_done));
		lost = false;
		for (stores = 0; !lost && !atomic_load(&grown_done); lost = *at != stores) {
			*at = ++stores;
			spin(1000);
		}
		pthread_join(thread, NULL);
		wrong += lost || *at != stores;
		munmap(map, page_size);
		if (ftruncate(grown_fd, 0))
			die("ftruncate");
		close(grown_fd);
	}
	if (wrong)
		ksft_print_msg("fallocate: %u of %u\n", wrong, i);
	return !wrong;
}

static void *grown_sync(void *arg)
{
	for (;;) {
		pthread_barrier_wait(&beside.barrier);
		if (beside.stop)
			return NULL;
		spin(beside.delay);
		fsync(grown_fd);
		pthread_barrier_wait(&beside.barrier);
	}
}

/* What was stored behind the end before the file grows, with fsync() under way. */
static bool grown_before(unsigned int round, const char *name)
{
	char *content = buffer(page_size, 0), *map;
	unsigned int i, wrong = 0;
	pthread_t thread;

	memset(content, 'o', 700);
	*content = 1;
	beside_start(&thread, grown_sync);
	for (i = 0; i < GROWN_ROUNDS; i++) {
		grown_fd = new_file(name, 0);
		put(grown_fd, 'o', 700, 0);
		map = map_file(grown_fd, page_size);
		map[0] = 1;
		map[1100] = 'G';
		beside.delay = rand() % 1000;
		pthread_barrier_wait(&beside.barrier);
		usleep(rand() % 20000);
		if (i % 2 ? ftruncate(grown_fd, 2 * page_size) :
			    pwrite(grown_fd, "n", 1, 2 * page_size) != 1)
			fail("growing: %s", strerror(errno));
		pthread_barrier_wait(&beside.barrier);
		wrong += differs(grown_fd, content, page_size) >= 0;
		munmap(map, page_size);
		close(grown_fd);
	}
	beside_stop(thread);
	free(content);
	if (wrong)
		ksft_print_msg("before: %u of %u\n", wrong, i);
	return !wrong;
}

struct part {
	const char *name;
	bool (*fn)(unsigned int round, const char *name);
};

static void run_parts(const struct part *parts, unsigned int count, unsigned int n)
{
	unsigned int i, round;

	for (i = 0; i < count; i++) {
		unsigned int wrong = 0;
		char name[32];

		for (round = 0; round < n; round++) {
			snprintf(name, sizeof(name), "%s.%u", parts[i].name, round);
			wrong += !parts[i].fn(round, name);
		}
		if (wrong && !known(parts[i].name))
			fail("%s: wrong in %u of %u rounds", parts[i].name, wrong, n);
		else
			ksft_print_msg("%s: wrong in %u of %u rounds%s\n", parts[i].name, wrong, n,
				       known(parts[i].name) ? ", known" : "");
	}
}

void run_unwritten(void)
{
	static const struct part parts[] = {
		/* First, while new files get the old blocks. */
		{ "append", unwritten_append },
		{ "short", unwritten_short },
		{ "mapped", unwritten_mapped },
		{ "self", unwritten_self },
		{ "beside", unwritten_beside },
		{ "sector", unwritten_sector },
	};

	run_parts(parts, ARRAY_SIZE(parts), rounds(3));
}

void run_grown(void)
{
	static const struct part parts[] = {
		{ "write", grown_write },
		{ "mapped", grown_mapped },
		{ "fallocate", grown_fallocate },
		{ "before", grown_before },
	};

	run_parts(parts, ARRAY_SIZE(parts), rounds(1));
}
