// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings that are no filesystem's, or have a ->fault of their own: stores
 * through them as through any other. Each store is made by a child: the first
 * version of this series left one that nobody could kill.
 */
#include <linux/aio_abi.h>
#include <linux/loop.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "mkwrite.h"

#define DEVICES	"/sys/module/mkw_devices"

enum kind { PERF, FB, KERNFS, AIO, BLOCK, SHMEM };

FIXTURE(drivers)
{
	enum kind kind;
	int fd;
	int backing;	/* what a msync() must have reached, or -1 */
	char *why;	/* it cannot be run */
};

FIXTURE_VARIANT(drivers)
{
	enum kind kind;
};

FIXTURE_VARIANT_ADD(drivers, perf) { .kind = PERF };
FIXTURE_VARIANT_ADD(drivers, fb) { .kind = FB };
FIXTURE_VARIANT_ADD(drivers, kernfs) { .kind = KERNFS };
FIXTURE_VARIANT_ADD(drivers, aio) { .kind = AIO };
FIXTURE_VARIANT_ADD(drivers, block) { .kind = BLOCK };
FIXTURE_VARIANT_ADD(drivers, shmem) { .kind = SHMEM };

static void load_devices(struct __test_metadata *_metadata)
{
	char ko[PATH_MAX + 64] = "";

	ASSERT_EQ(0, mkw_load("mkw_devices", ko, sizeof(ko))) {
		TH_LOG("%s: %s", ko, strerror(errno));
	}
}

static int perf_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return syscall(__NR_perf_event_open, &attr, 0, -1, -1, 0);
}

/* A loop device on a file in memory. */
static int block_open(int backing)
{
	int control = open("/dev/loop-control", O_RDWR);
	char name[32];
	int nr, fd;

	if (control < 0)
		return -1;
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	snprintf(name, sizeof(name), "/dev/loop%d", nr);
	fd = open(name, O_RDWR);
	if (fd >= 0 && ioctl(fd, LOOP_SET_FD, backing)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The id that the kernel made is the number in the frame buffer's node. */
static int fb_open(void)
{
	char name[64];
	FILE *f;
	int i;

	for (i = 0; i < 8; i++) {
		char id[32] = "";

		snprintf(name, sizeof(name), "/sys/class/graphics/fb%d/name", i);
		f = fopen(name, "r");
		if (!f)
			continue;
		if (fscanf(f, "%31s", id) != 1)
			id[0] = 0;
		fclose(f);
		if (strcmp(id, "mkwrite"))
			continue;
		snprintf(name, sizeof(name), "/dev/fb%d", i);
		return open(name, O_RDWR);
	}
	return -1;
}

FIXTURE_SETUP(drivers)
{
	self->kind = variant->kind;
	self->backing = -1;
	self->fd = -1;
	switch (variant->kind) {
	case PERF:
		self->fd = perf_open();
		self->why = "no CONFIG_PERF_EVENTS";
		break;
	case FB:
		load_devices(_metadata);
		if (access(DEVICES "/parameters/fb_byte", F_OK)) {
			self->why = "no CONFIG_FB with CONFIG_FB_DEFERRED_IO";
			return;
		}
		self->fd = fb_open();
		break;
	case KERNFS:
		load_devices(_metadata);
		self->fd = open("/sys/kernel/mkwrite/page", O_RDWR);
		break;
	case AIO:
		if (syscall(__NR_io_destroy, 0) && errno == ENOSYS) {
			self->why = "no CONFIG_AIO";
			return;
		}
		self->fd = open("/dev/null", O_RDWR);
		break;
	case BLOCK:
		self->backing = syscall(__NR_memfd_create, "mkwrite", 0);
		ASSERT_LE(0, self->backing);
		ASSERT_EQ(0, ftruncate(self->backing, 8 * PAGE));
		self->fd = block_open(self->backing);
		self->why = "no CONFIG_BLK_DEV_LOOP";
		break;
	case SHMEM:
		self->fd = syscall(__NR_memfd_create, "mkwrite", 0);
		ASSERT_LE(0, self->fd);
		ASSERT_EQ(0, ftruncate(self->fd, 8 * PAGE));
		break;
	}
	if (self->fd >= 0)
		self->why = NULL;
	else
		ASSERT_NE(NULL, self->why);
}

FIXTURE_TEARDOWN(drivers)
{
	if (self->kind == BLOCK && self->fd >= 0) {
		/* What is dirty could not be written later. */
		fsync(self->fd);
		ioctl(self->fd, LOOP_CLR_FD);
	}
	close(self->fd);
	close(self->backing);
	/* Stays loaded if a child hangs in there. */
	if (self->kind == FB || self->kind == KERNFS)
		syscall(__NR_delete_module, "mkw_devices", O_NONBLOCK);
}

/* One mapping; where a byte of it may be written, and seen by another one. */
static volatile char *map(FIXTURE_DATA(drivers) *self)
{
	size_t at = 0, size = PAGE;
	aio_context_t ring = 0;
	char *p;

	if (self->kind == AIO) {
		/* The last of the events is in a page that nobody has touched. */
		if (syscall(__NR_io_setup, 128, &ring))
			return NULL;
		return (char *)ring + PAGE + 8;
	}
	if (self->kind == PERF) {
		size = 2 * PAGE;
		at = offsetof(struct perf_event_mmap_page, data_tail);
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	return p == MAP_FAILED ? NULL : p + at;
}

/* In the child: 0, or the line that failed. */
#define WANT(what) do { \
	if (!(what)) \
		_exit(__LINE__ & 0xff); \
} while (0)

static void seen(FIXTURE_DATA(drivers) *self, volatile char *p, char value)
{
	volatile char *other = p;

	/* Every io_setup() makes a ring of its own. */
	if (self->kind != AIO)
		other = map(self);
	WANT(other);
	WANT(*other == value);
}

/* EINVAL: this file has nothing to sync to. */
static void sync_page(volatile char *p)
{
	WANT(!msync((void *)((uintptr_t)p & -PAGE), PAGE, MS_SYNC) ||
	     errno == EINVAL);
}

static void first_store(FIXTURE_DATA(drivers) *self)
{
	volatile char *p = map(self);

	WANT(p);
	*p = 1;
	seen(self, p, 1);
}

/* What perf writes is not for user space to write. */
static void data_is_read_only(volatile char *p)
{
	struct mkw m = { .map = (char *)((uintptr_t)p & -PAGE) };
	struct sigaction action = { .sa_handler = mkw_on_sigbus };

	WANT(!sigaction(SIGBUS, &action, NULL));
	WANT(mkw_read(&m, 1) >= 0);
	WANT(mkw_write(&m, 1, 1) == SIGBUS);
}

static void store_after_load(FIXTURE_DATA(drivers) *self)
{
	volatile char *p = map(self);

	WANT(p);
	(void)*p;
	*p = 2;
	seen(self, p, 2);
	if (self->kind == PERF)
		data_is_read_only(p);
}

static unsigned int parameter(const char *name)
{
	char path[128];
	unsigned int value = ~0U;
	FILE *f;

	snprintf(path, sizeof(path), DEVICES "/parameters/%s", name);
	f = fopen(path, "r");
	if (f) {
		if (fscanf(f, "%u", &value) != 1)
			value = ~0U;
		fclose(f);
	}
	return value;
}

/* Waits until the deferred I/O has seen the byte; the alarm ends it. */
static void flushed(unsigned int byte)
{
	while (parameter("fb_byte") != byte)
		usleep(1000);
}

static void store_after_sync(FIXTURE_DATA(drivers) *self)
{
	volatile char *p = map(self);
	char c;

	WANT(p);
	*p = 3;
	sync_page(p);
	if (self->kind == FB)
		flushed(3);
	*p = 4;
	seen(self, p, 4);
	sync_page(p);
	if (self->kind == FB)
		flushed(4);
	if (self->backing >= 0) {
		WANT(pread(self->backing, &c, 1, 0) == 1);
		WANT(c == 4);
	}
}

static void store_by_kernel(FIXTURE_DATA(drivers) *self)
{
	volatile char *p = map(self);
	int fd[2];
	char c = 5;

	WANT(p && !pipe(fd) && write(fd[1], &c, 1) == 1);
	WANT(read(fd[0], (void *)p, 1) == 1);
	seen(self, p, 5);
}

/* Runs it in a child, with a limit that ends the test in any case. */
static void in_child(struct __test_metadata *_metadata,
		     FIXTURE_DATA(drivers) *self,
		     void (*what)(FIXTURE_DATA(drivers) *))
{
	int status = -1, tries = 1500;
	pid_t child;

	if (self->why)
		SKIP(return, "%s", self->why);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		/* A store that faults for ever in user mode ends here. */
		signal(SIGALRM, SIG_DFL);
		alarm(10);
		what(self);
		_exit(0);
	}
	while (tries-- && !waitpid(child, &status, WNOHANG))
		usleep(10000);
	ASSERT_LE(0, tries) TH_LOG("the store does not end and cannot be killed");
	EXPECT_TRUE(WIFEXITED(status)) TH_LOG("signal %d", WTERMSIG(status));
	EXPECT_EQ(0, WEXITSTATUS(status)) TH_LOG("see that line");
}

TEST_F(drivers, first_store)
{
	in_child(_metadata, self, first_store);
}

TEST_F(drivers, store_after_load)
{
	in_child(_metadata, self, store_after_load);
}

TEST_F(drivers, store_after_sync)
{
	in_child(_metadata, self, store_after_sync);
}

TEST_F(drivers, store_by_kernel)
{
	in_child(_metadata, self, store_by_kernel);
}

MKW_HARNESS_MAIN
