// SPDX-License-Identifier: GPL-2.0
/* What a store costs, who made it, when, and what else it takes part in. */
#include <linux/dm-ioctl.h>
#include <linux/types.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/syscall.h>
#include "fs_cases.h"

/*
 * sparse: one store to a large hole prepares one folio, not the mapping.
 */
#define SPARSE_BYTES	(64UL << 20)
#define SPARSE_MAX	(4UL << 20)	/* a large folio, and what lies before it */

static unsigned long cached_pages(void *map, size_t len)
{
	unsigned char *vec = malloc(len / page_size);
	unsigned long n = 0;
	size_t i;

	if (!vec || mincore(map, len, vec))
		die("mincore");
	for (i = 0; i < len / page_size; i++)
		n += vec[i] & 1;
	free(vec);
	return n;
}

void run_sparse(void)
{
	int fd = new_file("sparse", SPARSE_BYTES);
	size_t cached;
	struct stat st;
	char *map;

	sync_file(fd, NULL, 0);
	map = map_file(fd, SPARSE_BYTES);
	madvise(map, SPARSE_BYTES, MADV_RANDOM);	/* no readahead */
	map[5 * page_size] = 'S';
	cached = cached_pages(map, SPARSE_BYTES) * page_size;
	sync_file(fd, map, SPARSE_BYTES);
	if (fstat(fd, &st))
		die("stat");
	ksft_print_msg("one store: %zu KiB in the cache, %jd KiB of blocks\n", cached >> 10,
		       (intmax_t)st.st_blocks / 2);
	if (cached > SPARSE_MAX)
		fail("one store filled %zu MiB of the page cache", cached >> 20);
	if (byte_at(fd, 5 * page_size) != 'S' || byte_at(fd, SPARSE_BYTES - 1))
		fail("wrong content");
}

/*
 * creds: two users store to one page in turn, each by his own mapping. NFS
 * sends a write with the credentials of who has made it. In the second part
 * the first user has lost his rights meanwhile: what the server then refuses
 * him must not take the other one's store with it.
 */
#define CREDS_UID	1000U
#define CREDS_TURNS	64U
#define CREDS_SECONDS	60U		/* for both to open it, and for their turns */

static struct creds {
	const char *name;
	unsigned int turns;
	atomic_uint opened, turn;	/* the first one is 1 */
	bool revoked;
} *creds;

static size_t creds_at(unsigned int turn)
{
	return turn % 2 * page_size / 2 + turn;
}

static int creds_child(unsigned int who)
{
	unsigned int turn;
	char *map;
	int fd;

	alarm(2 * CREDS_SECONDS);	/* the other one may be dead */
	if (setgid(CREDS_UID + who) || setuid(CREDS_UID + who))
		die("setuid");
	fd = open_in_dir(creds->name, O_RDWR);
	if (fd < 0)
		die("%s for user %u", creds->name, CREDS_UID + who);
	map = map_file(fd, page_size);
	(void)*(volatile char *)map;	/* a page that he could not read would be SIGBUS */
	atomic_fetch_add(&creds->opened, 1);
	for (turn = 1 + who; turn <= creds->turns; turn += 2) {
		while (atomic_load(&creds->turn) != turn)
			usleep(100);
		/* Makes it dirty, and the content does not depend on whether he may. */
		map[creds_at(turn)] = creds->revoked && !who ? 0 : 'A' + who;
		atomic_fetch_add(&creds->turn, 1);
	}
	/*
	 * The server sees a credential when the page is sent, not when it is
	 * stored to. That must not happen between the two stores, or each is
	 * sent with its own user's anyway.
	 */
	while (atomic_load(&creds->turn) <= creds->turns)
		usleep(100);
	if (msync(map, page_size, MS_SYNC)) {
		ksft_print_msg("user %u: msync: %s\n", CREDS_UID + who, strerror(errno));
		return !creds->revoked;
	}
	return 0;
}

/* Return: whether all stores are there, of the first user only if he kept his rights. */
static bool creds_run(const char *name, unsigned int turns, bool revoke)
{
	char *content = buffer(page_size, 0);
	int fd = new_file(name, page_size), status;
	unsigned int who, turn;
	bool ok = true;
	pid_t pid[2];

	if (fchmod(fd, 0666))
		die("chmod");
	sync_file(fd, NULL, 0);
	creds->name = name;
	creds->turns = turns;
	creds->revoked = revoke;
	atomic_store(&creds->opened, 0);
	atomic_store(&creds->turn, 0);
	fflush(stdout);
	for (who = 0; who < 2; who++) {
		pid[who] = fork();
		if (!pid[who])
			_exit(creds_child(who));
	}
	for (turn = 0; turn < CREDS_SECONDS * 1000 && atomic_load(&creds->opened) < 2; turn++)
		usleep(1000);
	if (revoke && (fchown(fd, CREDS_UID + 1, -1) || fchmod(fd, 0600)))
		die("chown");
	atomic_store(&creds->turn, 1);
	for (who = 0; who < 2; who++)
		if (waitpid(pid[who], &status, 0) != pid[who] || status) {
			ksft_print_msg("user %u: status %#x\n", CREDS_UID + who, status);
			ok = false;
		}
	forget(fd, NULL, 0);
	for (turn = 1; turn <= turns; turn++) {
		who = !(turn % 2);
		if (revoke && !who)
			continue;
		content[creds_at(turn)] = 'A' + who;
		if (byte_at(fd, creds_at(turn)) == 'A' + who)
			continue;
		ksft_print_msg("store %u, by user %u, is lost\n", turn, CREDS_UID + who);
		ok = false;
	}
	if (ok)
		want(name, content, page_size);
	free(content);
	close(fd);
	return ok;
}

void run_creds(void)
{
	creds = mmap(NULL, sizeof(*creds), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (creds == MAP_FAILED)
		die("memory");
	if (!creds_run("creds.turns", CREDS_TURNS, false))
		fail("two users in turn");
	else
		ksft_print_msg("two users in turn: all %u stores kept\n", CREDS_TURNS);
	if (!creds_run("creds.revoked", 2, true))
		fail("a user without rights takes another one's store with him");
	else
		ksft_print_msg("one of them without rights by then: the other one's is kept\n");
}

/*
 * mtime: by the next msync a store has updated it, whichever way the fault went:
 * no PTE, a read-only one, or one that writeback has made read-only.
 */
static const char * const mtime_ways[] = {
	"the page is not mapped", "the page is mapped for reading", "the page was written back",
};

void run_mtime(void)
{
	static const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	size_t len = 4 * page_size;
	int fd = new_file("mtime", 0);
	unsigned int way, page;
	volatile char *map;
	struct statx sx;

	put(fd, 'o', len, 0);
	sync_file(fd, NULL, 0);
	map = map_file(fd, len);
	for (way = 0; way < ARRAY_SIZE(mtime_ways); way++) {
		for (page = 0; page < 4; page++) {
			switch (way) {
			case 0:
				madvise((void *)map, len, MADV_DONTNEED);
				break;
			case 1:
				madvise((void *)map, len, MADV_DONTNEED);
				(void)map[page * page_size];
				break;
			case 2:
				map[page * page_size] = 'b';
				sync_file(fd, (char *)map, len);
				break;
			}
			if (futimens(fd, old))
				die("utimens");
			map[page * page_size] = 'a' + way;
			sync_file(fd, (char *)map, len);
			if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_MTIME, &sx))
				die("statx");
			if (sx.stx_mtime.tv_sec > old->tv_sec + 86400)
				continue;
			fail("%s: mtime is as before the store", mtime_ways[way]);
			break;
		}
		if (page == 4)
			ksft_print_msg("%s: mtime is updated\n", mtime_ways[way]);
	}
}

/*
 * throttle: who dirties pages by stores waits, like a writer, when there are too
 * many of them.
 */
#define THROTTLE_BYTES	(96UL << 20)
#define THROTTLE_LIMIT	(8UL << 20)
#define THROTTLE_MAX	(40UL << 20)	/* with what each task and CPU may dirty before it looks */

static unsigned long vm_set(const char *name, unsigned long value)
{
	unsigned long old = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
	f = fopen(path, "r+");
	if (!f || fscanf(f, "%lu", &old) != 1)
		die("%s", path);
	rewind(f);
	fprintf(f, "%lu", value);
	if (fclose(f))
		die("%s", path);
	return old;
}

static unsigned long dirty_bytes(void)
{
	unsigned long n, sum = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Dirty: %lu", &n) == 1 || sscanf(line, "Writeback: %lu", &n) == 1)
			sum += n;
	if (f)
		fclose(f);
	return sum << 10;
}

void run_throttle(void)
{
	int fd = new_file("throttle", THROTTLE_BYTES);
	unsigned long now, most = 0, ratio, background;
	size_t at;
	char *map;

	sync();
	ratio = vm_set("dirty_ratio", 20);
	background = vm_set("dirty_background_ratio", 10);
	vm_set("dirty_bytes", THROTTLE_LIMIT);
	vm_set("dirty_background_bytes", THROTTLE_LIMIT / 2);
	map = map_file(fd, THROTTLE_BYTES);
	for (at = 0; at < THROTTLE_BYTES; at += page_size) {
		map[at] = 'S';
		if (at % (256 * page_size))
			continue;
		now = dirty_bytes();
		if (now > most)
			most = now;
	}
	vm_set("dirty_ratio", ratio ? ratio : 20);
	vm_set("dirty_background_ratio", background ? background : 10);
	sync_file(fd, map, THROTTLE_BYTES);
	ksft_print_msg("%lu MiB stored, up to %lu KiB dirty, the limit is %lu\n",
		       THROTTLE_BYTES >> 20, most >> 10, THROTTLE_LIMIT >> 10);
	if (most > THROTTLE_MAX)
		fail("nobody waited: %lu MiB were dirty", most >> 20);
}

/*
 * holes: blocks are taken away from under a range while write faults prepare its
 * pages. What is stored afterwards must be in the file, not in blocks that are
 * free, or another file's by now.
 *
 * Every other round the range ends inside of pages, which stay in the cache, and
 * the faults are for those: for a page that has left it, ->fault waits already.
 */
#define HOLES_PAGES	64U
#define HOLES_FIRST	8U
#define HOLES_LAST	40U

static const struct {
	const char *name;
	int mode;
} holes_ways[] = {
	{ "punch", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE },
	{ "zero", FALLOC_FL_ZERO_RANGE },
	{ "collapse", FALLOC_FL_COLLAPSE_RANGE },
	{ "insert", FALLOC_FL_INSERT_RANGE },
};

static struct {
	pthread_barrier_t barrier;
	int fd, mode, err;
	unsigned int delay, inside;	/* bytes */
	atomic_bool ended;
	bool stop;
} holes;

static void *holes_thread(void *arg)
{
	for (;;) {
		pthread_barrier_wait(&holes.barrier);
		if (holes.stop)
			return NULL;
		spin(holes.delay);
		holes.err = fallocate(holes.fd, holes.mode, HOLES_FIRST * page_size + holes.inside,
				      (HOLES_LAST - HOLES_FIRST) * page_size + holes.inside) ?
			errno : 0;
		atomic_store(&holes.ended, true);
		pthread_barrier_wait(&holes.barrier);
	}
}

/* Return: pages whose store is lost, or that hold what they never were given */
static unsigned int holes_check(char *buf, char stored, size_t len)
{
	unsigned int wrong = 0;
	size_t page, i;

	for (page = 0; page < len / page_size; page++) {
		char *p = buf + page * page_size;

		for (i = 0; i < page_size; i++)
			if (i == page || i == 2000 ? p[i] != stored : p[i] && p[i] != '.')
				break;
		wrong += i < page_size;
	}
	return wrong;
}

void run_holes(void)
{
	size_t size = HOLES_PAGES * page_size, len, page;
	char *map, *buf = buffer(size, 0);
	int victim = new_file("holes.victim", 0);
	unsigned int way, i, ran = 0, n = rounds(40);
	pthread_t thread;

	holes.fd = new_file("holes", 0);
	map = map_file(holes.fd, size);
	pthread_barrier_init(&holes.barrier, NULL, 2);
	start_thread(&thread, holes_thread, NULL);
	for (way = 0; way < ARRAY_SIZE(holes_ways); way++) {
		unsigned int wrong = 0, other = 0, faults = 0;

		for (i = 0; i < n; i++) {
			char c = 'a' + i % 26;

			if (ftruncate(holes.fd, 0) || ftruncate(victim, 0))
				die("truncate");
			/* As many extents as can be, to take a while. */
			for (page = 0; page < HOLES_PAGES; page++)
				put(holes.fd, '.', page_size, page * 37 % HOLES_PAGES * page_size);
			if (fsync(holes.fd))
				die("fsync");
			holes.mode = holes_ways[way].mode;
			holes.delay = rand() % 20000;
			holes.inside = i % 2 && way < 2 ? 1024 : 0;
			atomic_store(&holes.ended, false);
			pthread_barrier_wait(&holes.barrier);
			while (!atomic_load(&holes.ended)) {
				madvise(map, size, MADV_DONTNEED);
				faults++;
				if (holes.inside) {
					madvise(map + HOLES_FIRST * page_size, page_size,
						MADV_POPULATE_WRITE);
					madvise(map + HOLES_LAST * page_size, page_size,
						MADV_POPULATE_WRITE);
					continue;
				}
				/* Fails where the file ends. */
				madvise(map, size, MADV_POPULATE_WRITE);
			}
			pthread_barrier_wait(&holes.barrier);
			if (holes.err)
				break;
			/* Whoever gets the blocks. */
			put(victim, 'v', size, 0);
			if (fsync(victim))
				die("fsync");
			len = lseek(holes.fd, 0, SEEK_END);
			if (len > size)
				len = size;
			for (page = 0; page < len / page_size; page++) {
				map[page * page_size + page] = c;
				map[page * page_size + 2000] = c;
			}
			sync_file(holes.fd, map, len);
			forget(holes.fd, map, size);
			if (pread(holes.fd, buf, len, 0) != (ssize_t)len)
				fail("read: %s", strerror(errno));
			wrong += holes_check(buf, c, len);
			forget(victim, NULL, 0);
			memset(buf, 'v', size);
			other += differs(victim, buf, size) >= 0;
		}
		if (holes.err && !unsupported(holes.err))
			fail("%s: %s", holes_ways[way].name, strerror(holes.err));
		else if (holes.err)
			ksft_print_msg("%s: not supported\n", holes_ways[way].name);
		ran += !holes.err;
		if (holes.err)
			continue;
		if (wrong || other)
			fail("%s: %u stores lost, another file changed %u times, in %u rounds",
			     holes_ways[way].name, wrong, other, n);
		else
			ksft_print_msg("%s: %u rounds, all kept, the range prepared %u times\n",
				       holes_ways[way].name, n, faults);
	}
	holes.stop = true;
	pthread_barrier_wait(&holes.barrier);
	pthread_join(thread, NULL);
	if (!ran)
		skip("no way to take blocks away from a file here");
}

/*
 * dirty: a handler gives freeze protection back when it returns, so the folio
 * must be dirty by then, or a freeze that waited for the fault would not see it;
 * and if contents must not change during writeback, that has ended. Both can be
 * seen while the folio is locked, by the module mkwprobe; here is what makes it
 * look: clean pages with blocks, read-only pages, pages under writeback.
 */
#define DIRTY_PAGES	16U

static unsigned long probed(const char *name)
{
	unsigned long n;
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/mkwprobe/parameters/%s", name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%lu", &n) != 1)
		die("%s", path);
	fclose(f);
	return n;
}

void run_dirty(void)
{
	size_t len = DIRTY_PAGES * page_size;
	int fd = new_file("dirty", 0);
	char *map, *content = buffer(len, 'o');
	unsigned int i, page, n = rounds(50);

	put(fd, 'o', len, 0);
	sync_file(fd, NULL, 0);
	map = map_file(fd, len);
	for (i = 0; i < n; i++) {
		switch (i % 4) {
		case 0:	/* a PTE that is read-only, or none */
			sync_file(fd, map, len);
			madvise(map, len, MADV_DONTNEED);
			for (page = 0; page < DIRTY_PAGES; page += 2)
				atomic_load((atomic_char *)map + page * page_size);
			break;
		case 2:
			sync_file(fd, map, len);
			break;
		default:
			sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		}
		for (page = 0; page < DIRTY_PAGES; page++)
			map[page * page_size + i % page_size] =
				content[page * page_size + i % page_size] = 'a' + i % 26;
	}
	sync_file(fd, map, len);
	want("dirty", content, len);
	ksft_print_msg("returned locked: %lu, clean: %lu, under writeback: %lu, unstable: %lu\n",
		       probed("locked"), probed("clean"), probed("writeback"),
		       probed("unstable"));
	if (!probed("locked"))
		fail("the handler was not seen");
	if (probed("clean"))
		fail("freeze protection ends before the folio is dirty");
	if (probed("unstable"))
		fail("the folio may change under writeback");
}

/*
 * frozen: while the filesystem is frozen, a store waits, and makes nothing dirty
 * before that: not its own page, and none that has to be zeroed for it.
 */
#define FROZEN_PAGES	16U
#define FROZEN_AT	5U

#ifndef __NR_cachestat
#define __NR_cachestat	451
#endif

static const char * const frozen_ways[] = { "nothing is written", "all is written" };

static struct {
	volatile char *at;
	atomic_int tid;
	atomic_bool done;
} frozen;

int suspend_device(bool on)
{
	struct dm_ioctl io = {
		.version = { DM_VERSION_MAJOR }, .data_size = sizeof(io),
		.data_start = sizeof(io), .flags = on ? DM_SUSPEND_FLAG : 0,
	};
	int ret, control;

	snprintf(io.name, sizeof(io.name), "%s", dm_device);
	control = open("/dev/mapper/control", O_RDWR);
	ret = ioctl(control, DM_DEV_SUSPEND, &io);
	close(control);
	return ret;
}

/* Without ->freeze_fs there is no FIFREEZE, but a suspended device freezes what is on it. */
static int freeze(int fd, bool on)
{
	return dm_device ? suspend_device(on) : ioctl(fd, on ? FIFREEZE : FITHAW, 0);
}

unsigned long dirty_pages(int fd)
{
	struct {
		__u64 off, len;
	} range = { 0, 0 };		/* the whole file */
	struct {
		__u64 cache, dirty, writeback, evicted, recently;
	} pages;

	if (syscall(__NR_cachestat, fd, &range, &pages, 0))
		die("cachestat");
	return pages.dirty + pages.writeback;
}

static void *frozen_store(void *arg)
{
	atomic_store(&frozen.tid, gettid());
	*frozen.at = 'S';
	atomic_store(&frozen.done, true);
	return NULL;
}

/* Wait until the store sleeps, or is done. No malloc(): it may need mmap_lock. */
static bool frozen_waits(void)
{
	unsigned int i, asleep = 0;
	char path[64], stat[256];

	for (i = 0; i < 3000 && asleep < 10 && !atomic_load(&frozen.done); i++) {
		int fd, n = 0;
		char *state;

		usleep(10000);
		if (!atomic_load(&frozen.tid))
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&frozen.tid));
		fd = open(path, O_RDONLY);
		if (fd >= 0)
			n = read(fd, stat, sizeof(stat) - 1);
		close(fd);
		stat[n > 0 ? n : 0] = 0;
		state = strstr(stat, ") ");
		asleep = state && state[2] == 'D' ? asleep + 1 : 0;
	}
	return asleep == 10;
}

void run_frozen(void)
{
	size_t len = FROZEN_PAGES * page_size;
	unsigned int way, i;

	for (way = 0; way < ARRAY_SIZE(frozen_ways); way++) {
		char *map, *content = buffer(len, 0);
		unsigned long before, after;
		pthread_t thread;
		char name[32];
		bool waits;
		int fd;

		snprintf(name, sizeof(name), "frozen.%u", way);
		fd = new_file(name, len);
		if (way) {
			put(fd, 'o', len, 0);
			memset(content, 'o', len);
		}
		sync_file(fd, NULL, 0);
		map = map_file(fd, len);
		madvise(map, len, MADV_RANDOM);
		frozen.at = map + FROZEN_AT * page_size;
		(void)*frozen.at;	/* a suspended device would not read it */
		atomic_store(&frozen.tid, 0);
		atomic_store(&frozen.done, false);
		/* f2fs: something was dirty again after the sync. */
		for (i = 0; freeze(fd, true); i++) {
			if (errno == EOPNOTSUPP || errno == ENOTTY)
				skip("this filesystem cannot be frozen");
			if (errno != EINVAL || i == 100)
				die("freeze");
			usleep(10000);
		}
		before = dirty_pages(fd);
		start_thread(&thread, frozen_store, NULL);
		waits = frozen_waits();
		after = dirty_pages(fd);
		if (freeze(fd, false))
			die("thaw");
		pthread_join(thread, NULL);
		if (!waits)
			fail("%s: the store does not wait", frozen_ways[way]);
		if (after > before)
			fail("%s: %lu pages are dirty, %lu before the store", frozen_ways[way],
			     after, before);
		if (waits && after <= before)
			ksft_print_msg("%s: the store waits, nothing is dirty\n", frozen_ways[way]);
		content[FROZEN_AT * page_size] = 'S';
		sync_file(fd, map, len);
		munmap(map, len);
		forget(fd, NULL, 0);
		if (differs(fd, content, len) >= 0)
			fail("%s: wrong byte at %ld", frozen_ways[way], differs(fd, content, len));
		want(name, content, len);
		free(content);
		close(fd);
	}
}

/*
 * stale: a store far behind all that was written, while a write() to the file has
 * its locks and waits for its buffer. What lies between is zeros afterwards, not
 * what the disk held before; scripts/guest/fs has left something there.
 */
#define STALE_PAGES	64U
#define STALE_AT	40U
#define STALE_SECONDS	30U

static struct {
	volatile char *map;
	char *buf;
	int fd;
	atomic_bool stored;
} stale;

static void *stale_write(void *arg)
{
	if (pwrite(stale.fd, stale.buf, page_size, 0) != (ssize_t)page_size)
		fail("write: %s", strerror(errno));
	return NULL;
}

static void *stale_store(void *arg)
{
	stale.map[STALE_AT * page_size] = 'S';
	atomic_store(&stale.stored, true);
	return NULL;
}

void run_stale(void)
{
	size_t len = STALE_PAGES * page_size;
	char *content = buffer(len, 0), *page = buffer(page_size, 'w');
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_copy copy = { .src = (__u64)page, .len = page_size };
	struct pollfd poll_uffd = { .events = POLLIN };
	pthread_t writer, storer;
	unsigned int i;

	stale.buf = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	copy.dst = (__u64)stale.buf;
	reg.range.start = (__u64)stale.buf;
	reg.range.len = page_size;
	poll_uffd.fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (stale.buf == MAP_FAILED || poll_uffd.fd < 0 || ioctl(poll_uffd.fd, UFFDIO_API, &api) ||
	    ioctl(poll_uffd.fd, UFFDIO_REGISTER, &reg))
		die("userfaultfd");

	stale.fd = new_file("stale", len);
	put(stale.fd, 'o', page_size, 0);
	sync_file(stale.fd, NULL, 0);
	stale.map = map_file(stale.fd, len);
	madvise((void *)stale.map, len, MADV_RANDOM);
	start_thread(&writer, stale_write, NULL);
	if (poll(&poll_uffd, 1, STALE_SECONDS * 1000) != 1)
		die("write() does not ask for its buffer");
	start_thread(&storer, stale_store, NULL);
	for (i = 0; i < 100 && !atomic_load(&stale.stored); i++)
		usleep(10000);
	ksft_print_msg("the store %s for write()\n",
		       atomic_load(&stale.stored) ? "does not wait" : "waits");
	if (ioctl(poll_uffd.fd, UFFDIO_COPY, &copy))
		die("userfaultfd: copy");
	pthread_join(writer, NULL);
	pthread_join(storer, NULL);
	memset(content, 'w', page_size);
	content[STALE_AT * page_size] = 'S';
	sync_file(stale.fd, (char *)stale.map, len);
	munmap((char *)stale.map, len);
	forget(stale.fd, NULL, 0);
	if (differs(stale.fd, content, len) >= 0)
		fail("at %ld there is %#x", differs(stale.fd, content, len),
		     byte_at(stale.fd, differs(stale.fd, content, len)));
	want("stale", content, len);
}
