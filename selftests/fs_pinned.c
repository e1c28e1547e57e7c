// SPDX-License-Identifier: GPL-2.0
/*
 * pinned: a direct read into a shared mapping lasts longer than a writeback of
 * the mapped file. Its pages are clean when the data arrive, and become dirty
 * with no ->page_mkwrite. What was read must be in the file, and in no other.
 *
 * The read is from a device-mapper device, which is suspended meanwhile.
 */
#include <linux/aio_abi.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include "fs_cases.h"

#define PINNED_PAGES	16U
#define PINNED_SOON	8U	/* rounds */
#define PINNED_WAIT	60U	/* seconds, until all of them are pinned */

struct pinned {
	char name[32];		/* of the file */
	char *map, *content;	/* @content is what was read */
	size_t len;
	int fd, source;
	bool soon;		/* fsync as soon as the read has ended */
	int cpu;
};

struct pinned_way {
	const char *name;
	bool (*meanwhile)(struct pinned *p);	/* before the data; false: not to be had here */
	void (*then)(struct pinned *p);		/* when they have come */
	void (*after)(struct pinned *p);	/* when they are written */
	bool aio;
	bool cut;	/* the pages are taken from the file, its content is what it has */
	bool full;	/* an error is as good as the data */
};

static unsigned long counter(const char *what)
{
	FILE *f = fopen("/proc/vmstat", "r");
	unsigned long value = 0, v;
	char name[64];

	while (f && fscanf(f, "%63s %lu", name, &v) == 2)
		if (!strcmp(name, what))
			value = v;
	if (f)
		fclose(f);
	return value;
}

static unsigned long pins(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_RDONLY);
	unsigned long released;
	char c;

	/* What each CPU has counted for itself. */
	if (fd < 0 || read(fd, &c, 1) < 0)
		die("stat_refresh");
	close(fd);
	released = counter("nr_foll_pin_released");

	return counter("nr_foll_pin_acquired") - released;
}

static void pinned_ended(struct pinned *p)
{
	if (p->soon && fsync(p->fd))
		fail("%s: fsync after the read: %s", p->name, strerror(errno));
}

static void *pinned_read(void *arg)
{
	struct pinned *p = arg;
	ssize_t n = pread(p->source, p->map, p->len, 0);

	pinned_ended(p);
	if (n != (ssize_t)p->len)
		fail("%s: the read returned %zd: %s", p->name, n, strerror(errno));
	return NULL;
}

/* The pages are dirtied by a work item, after the read has ended. */
static void *pinned_aio(void *arg)
{
	struct pinned *p = arg;
	struct iocb cb = {
		.aio_fildes = p->source, .aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_buf = (__u64)p->map, .aio_nbytes = p->len,
	}, *list = &cb;
	aio_context_t ctx = 0;
	struct io_event event;

	if (syscall(__NR_io_setup, 1, &ctx) || syscall(__NR_io_submit, ctx, 1, &list) != 1)
		die("io_submit");
	if (syscall(__NR_io_getevents, ctx, 1, 1, &event, NULL) != 1)
		die("io_getevents");
	pinned_ended(p);
	if (event.res != (__s64)p->len)
		fail("%s: the read returned %lld", p->name, (long long)event.res);
	syscall(__NR_io_destroy, ctx);
	return NULL;
}

/* The folio is dirty, but only a part of it. */
static bool pinned_part(struct pinned *p)
{
	put(p->fd, 'a', page_size, 0);
	return true;
}

/* Dirty, and written again, as often as it likes. */
static bool pinned_twice(struct pinned *p)
{
	p->map[0] = 'c';
	if (fsync(p->fd))
		fail("%s: the second fsync: %s", p->name, strerror(errno));
	return true;
}

static int pinned_other(struct pinned *p, const char *suffix, int flags)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.%s", p->name, suffix);
	return open_in_dir(name, flags);
}

static bool pinned_clone(struct pinned *p)
{
	int fd = pinned_other(p, "clone", O_RDWR | O_CREAT | O_TRUNC);
	bool cloned = fd >= 0 && !ioctl(fd, FICLONE, p->fd);

	if (!cloned && !unsupported(errno))
		die("FICLONE");
	if (cloned && fsync(fd))
		fail("%s: fsync of the clone: %s", p->name, strerror(errno));
	close(fd);
	return cloned;
}

static void pinned_cloned(struct pinned *p)
{
	char *old = buffer(p->len, 'a'), name[64];
	int fd = pinned_other(p, "clone", O_RDONLY);

	/* From the disk: its own pages may hide what was done to its blocks. */
	forget(fd, NULL, 0);
	if (differs(fd, old, p->len) >= 0)
		fail("%s: the clone has changed at %ld", p->name, differs(fd, old, p->len));
	snprintf(name, sizeof(name), "%s.clone", p->name);
	want(name, old, p->len);
	close(fd);
	free(old);
}

/* A clone of what has arrived has it. */
static void pinned_clone_late(struct pinned *p)
{
	int fd = pinned_other(p, "clone", O_RDWR | O_CREAT | O_TRUNC);
	char name[64];

	if (fd < 0 || ioctl(fd, FICLONE, p->fd)) {
		if (!unsupported(errno))
			die("FICLONE");
		close(fd);
		pinned_other(p, "clone", O_RDWR | O_TRUNC);
		return;
	}
	if (fsync(fd))
		fail("%s: fsync of the clone: %s", p->name, strerror(errno));
	if (differs(fd, p->content, p->len) >= 0)
		fail("%s: the clone lacks what was read before, at %ld", p->name,
		     differs(fd, p->content, p->len));
	snprintf(name, sizeof(name), "%s.clone", p->name);
	want(name, p->content, p->len);
	close(fd);
}

static bool pinned_clone_full(struct pinned *p)
{
	size_t chunk;
	off_t size = 0;
	int fd;

	if (!pinned_clone(p))
		return false;
	fd = pinned_other(p, "ballast", O_RDWR | O_CREAT | O_TRUNC);
	for (chunk = 64 << 20; chunk >= page_size; chunk /= 4)
		while (!fallocate(fd, 0, size, chunk))
			size += chunk;
	if (errno != ENOSPC)
		die("fallocate");
	close(fd);
	return true;
}

static void pinned_room(struct pinned *p)
{
	close(pinned_other(p, "ballast", O_RDWR | O_TRUNC));
	pinned_cloned(p);
}

static bool pinned_punch(struct pinned *p)
{
	if (!fallocate(p->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, p->len))
		return true;
	if (!unsupported(errno))
		die("fallocate");
	return false;
}

static bool pinned_truncate(struct pinned *p)
{
	if (ftruncate(p->fd, 0) || ftruncate(p->fd, p->len))
		die("ftruncate");
	return true;
}

static bool pinned_freeze(struct pinned *p)
{
	unsigned int i;

	/* f2fs: something was dirty again after the sync. */
	for (i = 0; ioctl(p->fd, FIFREEZE, 0); i++) {
		if (errno == EOPNOTSUPP || errno == ENOTTY)
			return false;
		if (errno != EINVAL || i == 100)
			die("freeze");
		usleep(10000);
	}
	return true;
}

static void pinned_thaw(struct pinned *p)
{
	if (ioctl(p->fd, FITHAW, 0))
		die("thaw");
}

/* Clone, then freeze. btrfs: its transactions wait for the thaw as well, by reading. */
static bool pinned_clone_frozen(struct pinned *p)
{
	struct statfs s;

	if (fstatfs(p->fd, &s))
		die("fstatfs");
	return s.f_type == XFS_SUPER_MAGIC && pinned_clone(p) && pinned_freeze(p);
}

static void *pinned_fsync(void *arg)
{
	struct pinned *p = arg;

	if (fsync(p->fd))
		fail("%s: fsync on the frozen filesystem: %s", p->name, strerror(errno));
	return NULL;
}

static int pinned_syncfs(void *arg)
{
	struct pinned *p = arg;

	/* Its status may be the ENOSPC of way full. */
	syncfs(p->fd);
	return 0;
}

static int pinned_fithaw(void *arg)
{
	struct pinned *p = arg;

	return ioctl(p->fd, FITHAW, 0) ? errno : 0;
}

/* fsync may wait for the thaw; sync may not, as thaw waits for it. */
static void pinned_sync_thaw(struct pinned *p)
{
	pthread_t t;

	start_thread(&t, pinned_fsync, p);
	usleep(500000);
	if (in_child("sync on the frozen filesystem", pinned_syncfs, p, PINNED_WAIT))
		die("sync on the frozen filesystem");
	if (in_child("thaw", pinned_fithaw, p, PINNED_WAIT))
		die("thaw");
	pthread_join(t, NULL);
}

static const struct pinned_way pinned_ways[] = {
	{ "fsync" },
	{ "aio", .aio = true },
	{ "part", .meanwhile = pinned_part },
	{ "aiopart", .meanwhile = pinned_part, .aio = true },
	{ "twice", .meanwhile = pinned_twice },
	{ "clone", .meanwhile = pinned_clone, .after = pinned_cloned },
	{ "late", .then = pinned_clone_late },
	{ "full", .meanwhile = pinned_clone_full, .after = pinned_room, .full = true },
	{ "punch", .meanwhile = pinned_punch, .cut = true },
	{ "truncate", .meanwhile = pinned_truncate, .cut = true },
	{ "freeze", .meanwhile = pinned_freeze, .then = pinned_thaw },
	{ "thaw", .meanwhile = pinned_clone_frozen, .then = pinned_sync_thaw, .after = pinned_cloned },
};

/* Reads that have only just ended. Those of a device by AIO are not among them. */
static const struct pinned_soon {
	const char *name, *device, *path;
	unsigned int pages;	/* more than 256 do not fit into one bio */
	bool aio;
} pinned_soon[] = {
	{ "device", "slow", "/dev/mapper/slow", 512 },
	{ "file", "slowfs", "/run/slowfs/source", PINNED_PAGES },
	{ "large", "slowfs", "/run/slowfs/source", 512 },
	{ "aiofile", "slowfs", "/run/slowfs/source", PINNED_PAGES, .aio = true },
	{ "aiolarge", "slowfs", "/run/slowfs/source", 512, .aio = true },
};

/* No work item gets onto this CPU until fsync has looked for dirty pages. */
static void pinned_alone(struct pinned *p)
{
	const struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(p->cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || sched_setscheduler(0, SCHED_FIFO, &param))
		die("a CPU for itself");
}

static void *pinned_read_alone(void *arg)
{
	pinned_alone(arg);
	return pinned_read(arg);
}

static void *pinned_aio_alone(void *arg)
{
	pinned_alone(arg);
	return pinned_aio(arg);
}

static void pinned_soon_one(const struct pinned_soon *soon, int cpu)
{
	struct pinned p = { .len = soon->pages * page_size, .soon = true, .cpu = cpu };
	unsigned long before = pins(), dirty;
	unsigned int i;
	pthread_t t;

	snprintf(p.name, sizeof(p.name), "pinned.soon.%s", soon->name);
	dm_device = soon->device;
	p.source = open(soon->path, O_RDONLY | O_DIRECT | O_NOATIME);
	if (p.source < 0)
		die("%s", soon->path);
	p.fd = new_file(p.name, 0);
	put(p.fd, 'a', p.len, 0);
	p.map = map_file(p.fd, p.len);
	sync_file(p.fd, p.map, p.len);
	if (suspend_device(true))
		die("%s cannot be suspended", dm_device);
	start_thread(&t, soon->aio ? pinned_aio_alone : pinned_read_alone, &p);
	for (i = 0; i < PINNED_WAIT * 100 && pins() < before + soon->pages; i++)
		usleep(10000);
	if (pins() < before + soon->pages) {
		suspend_device(false);
		die("the pages are not pinned");
	}
	if (fsync(p.fd))
		fail("%s: fsync during the read: %s", p.name, strerror(errno));
	/* With data=journal they may be dirty until a checkpoint. */
	dirty = dirty_pages(p.fd);
	if (suspend_device(false))
		die("%s cannot be resumed", dm_device);
	pthread_join(t, NULL);
	for (i = 0; i < PINNED_WAIT * 100 && pins() > before; i++)
		usleep(10000);
	if (!dirty && dirty_pages(p.fd))
		fail("%s: %lu pages became dirty after the fsync that came after the read", p.name,
		     dirty_pages(p.fd));
	munmap(p.map, p.len);
	close(p.source);
	close(p.fd);
}

static void pinned_soon_all(void)
{
	unsigned int i, j, cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (i = 0; i < ARRAY_SIZE(pinned_soon); i++)
		for (j = 0; j < PINNED_SOON; j++)
			pinned_soon_one(&pinned_soon[i], j % cpus);
}

/* Not what was there before, and what it is now it must be after the next mount. */
static void pinned_look(struct pinned *p)
{
	size_t i;

	for (i = 0; i < p->len; i += page_size) {
		if (p->map[i] && p->map[i] != p->content[i]) {
			fail("%s: the old content is back at %zu", p->name, i);
			break;
		}
	}
	memcpy(p->content, p->map, p->len);
}

static void pinned_one(const struct pinned_way *way, int source)
{
	struct pinned p = { .len = PINNED_PAGES * page_size, .source = source };
	unsigned long before = pins();
	unsigned int i;
	pthread_t t;
	bool here, written = true;
	int err;

	p.content = buffer(p.len, 0);
	if (pread(source, p.content, p.len, 0) != (ssize_t)p.len)
		die("what is to be read");
	snprintf(p.name, sizeof(p.name), "pinned.%s", way->name);
	p.fd = new_file(p.name, 0);
	put(p.fd, 'a', p.len, 0);
	sync_file(p.fd, NULL, 0);
	p.map = map_file(p.fd, p.len);
	if (suspend_device(true))
		die("%s cannot be suspended", dm_device);
	start_thread(&t, way->aio ? pinned_aio : pinned_read, &p);
	for (i = 0; i < PINNED_WAIT * 100 && pins() < before + PINNED_PAGES; i++)
		usleep(10000);
	if (pins() < before + PINNED_PAGES) {
		suspend_device(false);
		die("the pages are not pinned");
	}
	/* Written, clean and write-protected; or taken from the file. */
	if (fsync(p.fd))
		fail("%s: fsync during the read: %s", p.name, strerror(errno));
	here = !way->meanwhile || way->meanwhile(&p);
	if (suspend_device(false))
		die("%s cannot be resumed", dm_device);
	pthread_join(t, NULL);
	for (i = 0; i < PINNED_WAIT * 100 && pins() > before; i++)
		usleep(10000);
	if (!here)
		ksft_print_msg("%s: not here\n", way->name);
	if (here && way->then)
		way->then(&p);
	if (here && way->cut)
		pinned_look(&p);
	else if (here && memcmp(p.map, p.content, p.len))
		fail("%s: the mapping does not hold what was read", p.name);
	if (here && way->full) {
		err = fsync(p.fd) ? errno : 0;
		if (err && err != ENOSPC && err != EDQUOT)
			fail("%s: fsync: %s", p.name, strerror(err));
		if (err && fsync(p.fd))
			fail("%s: the second fsync: %s", p.name, strerror(errno));
		ksft_print_msg("%s: %s\n", way->name, err ? strerror(err) : "written");
		written = !err;
	} else if (here) {
		sync_file(p.fd, p.map, p.len);
	}
	if (here && way->after)
		way->after(&p);
	munmap(p.map, p.len);
	if (here && written) {
		forget(p.fd, NULL, 0);
		if (differs(p.fd, p.content, p.len) >= 0)
			fail("%s: msync said it was written, but it is not at %ld", p.name,
			     differs(p.fd, p.content, p.len));
		want(p.name, p.content, p.len);
	}
	free(p.content);
	close(p.fd);
}

void run_pinned(void)
{
	char path[64];
	unsigned int i;
	int source;

	snprintf(path, sizeof(path), "/dev/mapper/%s", dm_device ? dm_device : "");
	source = open(path, O_RDONLY | O_DIRECT);
	if (source < 0)
		die("%s", path);
	for (i = 0; i < ARRAY_SIZE(pinned_ways); i++)
		pinned_one(&pinned_ways[i], source);
	close(source);
	pinned_soon_all();
}
