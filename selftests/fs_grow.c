// SPDX-License-Identifier: GPL-2.0
/* A file grows under a writable mapping. */
#include "fs_cases.h"
#include <sched.h>

/*
 * growrace: i_size grows while a write fault is under way. Whatever end of the
 * file ->page_mkwrite has seen, the VM may make writable no more than that: what
 * is stored behind it must ask again, or no block and no request is there for it.
 *
 * Each round a large folio, clean and on the disk, straddles the end of the
 * file, which lies between two of its pages or inside of one. A store to the
 * part below races with the growth; then the parts behind are stored to.
 *
 * First without help, then the module mkwprobe, if it is loaded, has the VM wait
 * behind ->page_mkwrite. The growth begins meanwhile, or nearly at the same time:
 * XFS writes a dirty folio behind the end back first, and waits for the fault.
 */
#define RACE_PAGES	16U
#define RACE_OLD	4U		/* pages, before it grows */
#define RACE_NEW	((1UL << 20) + 1)
#define RACE_SLOW	96U		/* rounds */
#define RACE_DELAY	"/sys/module/mkwprobe/parameters/delay"

static const char * const race_ways[] = { "write", "truncate", "fallocate" };

static struct {
	pthread_barrier_t barrier;
	int fd;
	char *map, *buf;
	unsigned int way, delay, lost[ARRAY_SIZE(race_ways)];
	bool slow, late, stop;
} race;

/* Two CPUs, and nobody waits for a CPU that the probe holds. */
static void race_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *race_thread(void *arg)
{
	race_cpu(1);
	for (;;) {
		int ret = -1;

		pthread_barrier_wait(&race.barrier);
		if (race.stop)
			return NULL;
		if (race.late)
			usleep(5000);
		else
			spin(race.delay);
		switch (race.way) {
		case 0:
			ret = pwrite(race.fd, "x", 1, RACE_NEW - 1) == 1 ? 0 : -1;
			break;
		case 2:
			ret = fallocate(race.fd, 0, 0, RACE_NEW);
			if (ret && unsupported(errno))
				ret = ftruncate(race.fd, RACE_NEW);
			break;
		case 1:
			ret = ftruncate(race.fd, RACE_NEW);
			break;
		}
		if (ret)
			fail("%s: %s", race_ways[race.way], strerror(errno));
		pthread_barrier_wait(&race.barrier);
	}
}

static bool race_delay(unsigned int ms)
{
	FILE *f = fopen(RACE_DELAY, "w");

	if (f)
		fprintf(f, "%u", ms);
	return f && !fclose(f);
}

/*
 * Make the file @size bytes long and its folio larger, clean, on the disk. By
 * truncate, which does not split a folio that is dirty; NFS writes it back before.
 * Or by a write of which only a part can be read.
 */
static bool race_setup(bool part, size_t size)
{
	size_t len = RACE_PAGES * page_size;

	if (ftruncate(race.fd, 0))
		return false;
	/* btrfs writes nothing then. */
	if (part && pwrite(race.fd, race.buf + len - size, len, 0) == (ssize_t)size)
		return !fsync(race.fd);
	return pwrite(race.fd, race.buf, len, 0) == (ssize_t)len && !fsync(race.fd) &&
	       pwrite(race.fd, "b", 1, 0) == 1 && !ftruncate(race.fd, size) && !fsync(race.fd);
}

static void race_round(unsigned int i)
{
	size_t len = RACE_PAGES * page_size, old = RACE_OLD * page_size;
	unsigned char c = 'a' + i % 26;
	bool inside = i % 2;
	unsigned int page;

	if (!race_setup(i / 2 % 2, old + (inside ? 968 : 0)))
		die("setup");
	/* Few filesystems let the others change i_size during a fault. */
	race.way = i % 8 < 6 ? 0 : i / 8 % ARRAY_SIZE(race_ways);
	race.delay = rand() % 20000;
	race.late = race.slow && i % 16 < 4;
	if (race.slow)
		race_delay(race.late ? 20 : 3);
	pthread_barrier_wait(&race.barrier);
	if (!race.late)
		spin(rand() % 40000);
	race.map[inside ? old : 0] = c;
	pthread_barrier_wait(&race.barrier);
	if (race.slow)
		race_delay(0);
	/* The rest of the page that was the last one, and the pages behind. */
	race.map[old + 2000] = c;
	for (page = RACE_OLD + 1; page < RACE_PAGES; page++)
		race.map[page * page_size] = c;
	if (fsync(race.fd))
		fail("fsync: %s", strerror(errno));
	forget(race.fd, race.map, len);
	for (page = RACE_OLD + 1; page < RACE_PAGES; page++)
		if (byte_at(race.fd, page * page_size) != c)
			break;
	if (page < RACE_PAGES || byte_at(race.fd, old + 2000) != c)
		race.lost[race.way]++;
}

static void race_report(const char *how, unsigned int n)
{
	unsigned int i, sum = 0;

	for (i = 0; i < ARRAY_SIZE(race_ways); i++) {
		if (race.lost[i])
			fail("%s: %s: lost in %u rounds", how, race_ways[i], race.lost[i]);
		sum += race.lost[i];
		race.lost[i] = 0;
	}
	ksft_print_msg("%s: lost in %u of %u rounds\n", how, sum, n);
}

void run_growrace(void)
{
	unsigned int i, n = rounds(200);
	size_t len = RACE_PAGES * page_size;
	pthread_t thread;
	struct stat st;
	char *content;

	race.fd = new_file("growrace", 0);
	race.map = map_file(race.fd, len);
	race.buf = buffer(2 * len, '.');
	if (mprotect(race.buf + len, len, PROT_NONE))
		die("mprotect");
	pthread_barrier_init(&race.barrier, NULL, 2);
	race_cpu(0);
	start_thread(&thread, race_thread, NULL);
	for (i = 0; i < n; i++)
		race_round(i);
	race_report("without help", n);
	race.slow = race_delay(0);
	if (race.slow) {
		for (i = 0; i < RACE_SLOW; i++)
			race_round(i);
		race_report("while the VM waits", RACE_SLOW);
	} else {
		ksft_print_msg("not with the VM waiting: no mkwprobe\n");
	}
	race.stop = true;
	pthread_barrier_wait(&race.barrier);
	pthread_join(thread, NULL);
	if (fstat(race.fd, &st) || st.st_size != RACE_NEW)
		fail("size %jd, expected %lu", (intmax_t)st.st_size, RACE_NEW);
	content = calloc(1, RACE_NEW);
	if (!content || pread(race.fd, content, RACE_NEW, 0) != RACE_NEW)
		fail("the file cannot be read");
	else
		want("growrace", content, RACE_NEW);
	free(content);
}

/*
 * tail: what a mapping stored behind the end of the file, in its last page,
 * must not become content when the file grows: not at once, and not after the
 * page was written and read again.
 */
#define TAIL_OLD	700U

static const char * const tail_ways[] = {
	"truncate", "write-later", "write-same", "fallocate", "direct", "copy",
};

static const char * const tail_states[] = { "dirty", "written", "again" };

/* Return: up to where there must be zeros now, or 0 if it cannot grow this way. */
static size_t tail_grow(unsigned int way, const char *name, int fd, size_t size)
{
	off_t in = 0, out = 2 * page_size;
	size_t end = page_size;
	int ret = -1, fd2;
	void *buf;

	errno = 0;
	switch (way) {
	case 0:
		ret = ftruncate(fd, size);
		break;
	case 1:
		ret = pwrite(fd, "new", 3, out) == 3 ? 0 : -1;
		break;
	case 2:
		end = 3000;
		ret = pwrite(fd, "new", 3, end) == 3 ? 0 : -1;
		break;
	case 3:
		ret = fallocate(fd, 0, 0, size);
		break;
	case 4:
		fd2 = open_direct(name);
		if (fd2 < 0)
			break;
		buf = buffer(page_size, 'd');
		ret = pwrite(fd2, buf, page_size, out) == (ssize_t)page_size ? 0 : -1;
		free(buf);
		close(fd2);
		break;
	case 5:
		fd2 = new_file("source", 0);
		put(fd2, 'c', page_size, 0);
		ret = copy_file_range(fd2, &in, fd, &out, page_size, 0) ==
			(ssize_t)page_size ? 0 : -1;
		close(fd2);
		break;
	}
	if (!ret)
		return end;
	if (!unsupported(errno))
		fail("%s: %s", tail_ways[way], strerror(errno));
	return 0;
}

/* Return: 0 right, 1 wrong at once, 2 wrong when read again, -1 not supported */
static int tail_one(unsigned int way, unsigned int state)
{
	size_t end, size = 3 * page_size;
	char name[64], *map, *content = buffer(page_size, 0);
	int fd, ret = 0;

	snprintf(name, sizeof(name), "tail.%s.%s", tail_ways[way], tail_states[state]);
	fd = new_file(name, 0);
	put(fd, 'x', TAIL_OLD, 0);
	memset(content, 'x', TAIL_OLD);
	if (fsync(fd))
		die("%s", name);
	map = map_file(fd, size);
	memset(map + TAIL_OLD, 'G', page_size - TAIL_OLD);
	if (state)
		sync_file(fd, map, page_size);
	if (state == 2)
		memset(map + TAIL_OLD, 'H', page_size - TAIL_OLD);
	end = tail_grow(way, name, fd, size);
	if (end) {
		if (differs(fd, content, end) >= 0)
			ret |= 1;
		sync_file(fd, map, size);
		munmap(map, size);
		forget(fd, NULL, 0);
		if (differs(fd, content, end) >= 0)
			ret |= 2;
	} else {
		ret = -1;
	}
	close(fd);
	free(content);
	return ret;
}

void run_tail(void)
{
	static const char * const verdicts[] = {
		"right", "WRONG at once", "WRONG on disk", "WRONG",
	};
	unsigned int way, state;

	for (way = 0; way < ARRAY_SIZE(tail_ways); way++) {
		bool wrong = false, not = false;
		char said[128] = "";

		for (state = 0; state < ARRAY_SIZE(tail_states) && !not; state++) {
			int ret = tail_one(way, state);

			not = ret < 0;
			wrong |= ret > 0;
			if (!not)
				sprintf(said + strlen(said), " %s: %s;", tail_states[state],
					verdicts[ret]);
		}
		if (not)
			ksft_print_msg("%s: not supported\n", tail_ways[way]);
		else if (wrong && !known(tail_ways[way]))
			fail("%s:%s", tail_ways[way], said);
		else
			ksft_print_msg("%s:%s%s\n", tail_ways[way], said,
				       known(tail_ways[way]) ? " known" : "");
	}
}

/*
 * copy: the file grows, in every way there is, while its last page is mapped
 * writable; what is then stored behind its old end is kept. A second thread may
 * store to the page all the time, so that writeback does not make it read-only,
 * and a third one may ask the server for the size, so that it becomes known
 * before the call that makes the file grow has returned.
 */
#define COPY_OLD	968U
#define COPY_BYTES	(256UL << 10)

static const char * const copy_ways[] = {
	"write", "direct", "truncate", "fallocate", "zero", "copy", "clone",
};

static const char * const copy_beside[] = { "alone", "store", "stat" };

static struct {
	atomic_bool stop;
	volatile char *map;
	int fd;
} copy;

static void *copy_store(void *arg)
{
	while (!atomic_load(&copy.stop))
		copy.map[0] = 't';
	return NULL;
}

static void *copy_stat(void *arg)
{
	struct statx sx;

	while (!atomic_load(&copy.stop))
		statx(copy.fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_SIZE, &sx);
	return NULL;
}

static bool copy_grow(unsigned int way, int fd, int direct, int source, const void *buf)
{
	struct file_clone_range range = {
		.src_fd = source, .src_length = COPY_BYTES, .dest_offset = page_size,
	};
	size_t size = page_size + COPY_BYTES, done = 0;
	off_t in = 0, out = page_size;
	ssize_t n;

	errno = 0;
	switch (way) {
	case 0:
		return pwrite(fd, buf, COPY_BYTES, out) == (ssize_t)COPY_BYTES;
	case 1:
		return direct >= 0 && pwrite(direct, buf, COPY_BYTES, out) == (ssize_t)COPY_BYTES;
	case 2:
		return !ftruncate(fd, size);
	case 3:
		return !fallocate(fd, 0, 0, size);
	case 4:
		return !fallocate(fd, FALLOC_FL_ZERO_RANGE, page_size, COPY_BYTES);
	case 5:
		while (done < COPY_BYTES) {
			n = copy_file_range(source, &in, fd, &out, COPY_BYTES - done, 0);
			if (n <= 0)
				return false;
			done += n;
		}
		return true;
	case 6:
		return !ioctl(fd, FICLONERANGE, &range);
	}
	return false;
}

/* Return: 0 kept, 1 lost, -1 not supported */
static int copy_one(unsigned int way, unsigned int beside, unsigned int round, int source)
{
	size_t size = page_size + COPY_BYTES;
	char name[64], *map, *content = buffer(size, 0);
	int fd, direct, ret = 0;
	pthread_t thread[2];
	unsigned int i;
	bool done;

	snprintf(name, sizeof(name), "copy.%s.%s.%u", copy_ways[way], copy_beside[beside], round);
	fd = new_file(name, COPY_OLD);
	direct = open_direct(name);
	map = map_file(fd, size);
	map[0] = 't';
	content[0] = 't';
	content[1000] = 'S';
	if (way != 2 && way != 3 && way != 4)
		memset(content + page_size, 'c', COPY_BYTES);
	copy.map = map;
	copy.fd = fd;
	atomic_store(&copy.stop, false);
	for (i = 0; i < beside; i++)
		start_thread(&thread[i], i ? copy_stat : copy_store, NULL);
	done = copy_grow(way, fd, direct, source, content + page_size);
	if (done)
		map[1000] = 'S';
	else if (unsupported(errno))
		ret = -1;
	else
		fail("%s: %s", copy_ways[way], strerror(errno));
	atomic_store(&copy.stop, true);
	for (i = 0; i < beside; i++)
		pthread_join(thread[i], NULL);
	if (done) {
		sync_file(fd, map, size);
		munmap(map, size);
		forget(fd, NULL, 0);
		if (differs(fd, content, size) >= 0)
			ret = 1;
		else
			want(name, content, size);
	}
	close(fd);
	if (direct >= 0)
		close(direct);
	free(content);
	return ret;
}

void run_copy(void)
{
	int source = new_file("source", 0);
	unsigned int way, beside, i, n = rounds(3);

	put(source, 'c', COPY_BYTES, 0);
	if (fsync(source))
		die("source");
	for (way = 0; way < ARRAY_SIZE(copy_ways); way++) {
		unsigned int lost[ARRAY_SIZE(copy_beside)] = { 0 };
		int ret = 0;

		for (beside = 0; beside < ARRAY_SIZE(copy_beside) && ret >= 0; beside++)
			for (i = 0; i < n && ret >= 0; i++) {
				ret = copy_one(way, beside, i, source);
				lost[beside] += ret > 0;
			}
		if (ret < 0)
			ksft_print_msg("%s: not supported\n", copy_ways[way]);
		else if (lost[0] || lost[1] || (lost[2] && !known("stat")))
			fail("%s: lost in %u of %u rounds alone, %u beside a store, %u beside stat",
			     copy_ways[way], lost[0], n, lost[1], lost[2]);
		else if (lost[2])
			ksft_print_msg("%s: lost in %u of %u rounds beside stat, known\n",
				       copy_ways[way], lost[2], n);
		else
			ksft_print_msg("%s: kept\n", copy_ways[way]);
	}
}

/*
 * remote: another client changes the size, here by way of the server's own
 * folder. Once this client has seen the new size, what is stored behind the old
 * end is kept like any other store, and what this client appends takes nothing
 * of the other one's with it.
 */
#define REMOTE_OLD	968U

static const char * const remote_ways[] = { "truncate", "write", "shrink", "append" };

bool remote_size(int fd, size_t size)
{
	struct statx sx;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		if (!statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_SIZE, &sx) &&
		    sx.stx_size == size)
			return true;
		usleep(100000);
	}
	return false;
}

/*
 * The other client makes it shrink, and this one then makes it grow: what was
 * cached behind the end in between must not come back.
 */
static bool remote_resize(unsigned int way, int fd, const char *path, size_t size)
{
	size_t seen = way == 2 ? REMOTE_OLD : size;
	int remote = open(path, O_RDWR);

	if (remote < 0 || (way == 1 ? pwrite(remote, "r", 1, size - 1) != 1 :
			   ftruncate(remote, seen)) || close(remote))
		die("%s", path);
	if (!remote_size(fd, seen))
		fail("%s: this client does not see the new size", remote_ways[way]);
	return way != 2 || pwrite(fd, "r", 1, size - 1) == 1;
}

/* Return: whether what both have appended is there */
static bool remote_append(unsigned int round, const char *name, const char *path)
{
	size_t others = 1032, size = REMOTE_OLD + others;
	char *content = buffer(size + 4, 'r');
	int fd = new_file(name, 0), remote = open(path, O_WRONLY | O_APPEND), fd2 = -1;
	bool ok = true;

	if (remote < 0)
		die("%s", path);
	put(fd, 'o', REMOTE_OLD, 0);
	memset(content, 'o', REMOTE_OLD);
	memset(content + size, 'n', 4);
	sync_file(fd, NULL, 0);
	byte_at(fd, 0);		/* cached and uptodate */
	if (round % 2)
		fd2 = open_in_dir(name, O_WRONLY | O_APPEND);
	if (write(remote, content + REMOTE_OLD, others) != (ssize_t)others || close(remote))
		die("%s", path);
	if (!remote_size(fd, size))
		fail("append: this client does not see the new size");
	if (fd2 < 0)
		fd2 = open_in_dir(name, O_WRONLY | O_APPEND);
	if (write(fd2, content + size, 4) != 4)
		fail("append: %s", strerror(errno));
	sync_file(fd2, NULL, 0);
	forget(fd, NULL, 0);
	if (differs(fd, content, size + 4) >= 0)
		ok = false;
	else
		want(name, content, size + 4);
	close(fd2);
	close(fd);
	free(content);
	return ok;
}

void run_remote(void)
{
	size_t at, size = 2 * page_size;
	char name[64], path[PATH_MAX], *map, *content = buffer(size, 0);
	unsigned int way, i, n = rounds(10);

	if (!server_dir)
		skip("no server's folder to write to");
	for (way = 0; way < ARRAY_SIZE(remote_ways); way++) {
		unsigned int lost = 0;

		for (i = 0; i < n; i++) {
			int fd;

			snprintf(name, sizeof(name), "remote.%s.%u", remote_ways[way], i);
			snprintf(path, sizeof(path), "%s/%s", server_dir, name);
			if (way == 3) {
				lost += !remote_append(i, name, path);
				continue;
			}
			fd = new_file(name, REMOTE_OLD);
			/* A folio each. */
			for (at = 0; way == 2 && at < size; at += page_size)
				put(fd, 'x', page_size, at);
			memset(content, way == 2 ? 'x' : 0, REMOTE_OLD);
			if (fsync(fd))
				die("%s", name);
			map = map_file(fd, size);
			map[0] = 1;
			content[0] = 1;
			/* With something to send, NFS would not let it shrink. */
			if (way == 2)
				sync_file(fd, map, size);
			content[size - 1] = way ? 'r' : 0;
			if (!remote_resize(way, fd, path, size))
				die("%s", name);
			map[1000] = 'S';
			content[1000] = 'S';
			sync_file(fd, map, size);
			munmap(map, size);
			forget(fd, NULL, 0);
			if (differs(fd, content, size) >= 0)
				lost++;
			else
				want(name, content, size);
			close(fd);
		}
		if (lost && !known(remote_ways[way]))
			fail("%s: lost in %u of %u rounds", remote_ways[way], lost, n);
		else
			ksft_print_msg("%s: lost in %u of %u rounds\n", remote_ways[way], lost, n);
	}
}
