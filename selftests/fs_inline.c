// SPDX-License-Identifier: GPL-2.0
/*
 * inline: files so small that their data may lie in the inode. A store through
 * a mapping makes the filesystem move them to a block, beside write(2) and with
 * the inode's journal in between.
 *
 * unopened: the size of such a file is changed, and nobody has opened it for
 * writing since the mount.
 *
 * noroom: there is no block that the data could move to.
 */
#include "fs_cases.h"
#include <signal.h>

#define INLINE_FILES	32U
#define INLINE_SIZE	97U
#define INLINE_NAME	32U
/* More than an inode has space for. */
#define UNOPENED_SIZE	3000U
#define NOROOM_SIGBUS	3

/* ext4 only; elsewhere the next mount has to do. */
#ifndef EXT4_IOC_CHECKPOINT
#define EXT4_IOC_CHECKPOINT	_IOW('f', 43, __u32)
#endif

static void inline_content(char *buf, unsigned int k)
{
	memset(buf, 'i', INLINE_SIZE);
	buf[0] = 'M';
	buf[50] = 'N';
	if (k & 4)
		buf[51] = 'O';
}

/* Store, in various states of file and page; all of it is acknowledged. */
static void inline_store(const char *name, unsigned int k)
{
	int fd = unused_file(name, 0);
	char *map;

	put(fd, 'i', INLINE_SIZE, 0);
	if (k & 1)
		sync_file(fd, NULL, 0);
	if (k & 2)
		forget(fd, NULL, 0);
	map = map_file(fd, INLINE_SIZE);
	map[0] = 'M';
	if (k & 8)
		sync_file(fd, map, INLINE_SIZE);
	map[50] = 'N';
	if (k & 4)
		map[51] = 'O';
	sync_file(fd, map, INLINE_SIZE);
	munmap(map, INLINE_SIZE);
	close(fd);
}

static struct {
	int fd;
	atomic_bool stop, writes;
} inline_race;

static void *inline_writer(void *unused)
{
	while (!atomic_load(&inline_race.stop)) {
		if (pwrite(inline_race.fd, "WWWWWWWW", 8, 32) != 8) {
			fail("pwrite: %s", strerror(errno));
			break;
		}
		atomic_store(&inline_race.writes, true);
	}
	atomic_store(&inline_race.writes, true);
	return NULL;
}

/* write(2) to bytes 32 to 39 beside the first stores to others */
static int inline_beside(void *arg)
{
	unsigned int i, n = *(unsigned int *)arg, lost = 0, zeros = 0;
	char got[INLINE_SIZE], want[INLINE_SIZE];
	pthread_t thread;
	char *map;

	for (i = 0; i < n; i++) {
		inline_race.fd = unused_file("inline.beside", 0);
		atomic_store(&inline_race.stop, false);
		atomic_store(&inline_race.writes, false);
		put(inline_race.fd, 'i', INLINE_SIZE, 0);
		map = map_file(inline_race.fd, INLINE_SIZE);
		start_thread(&thread, inline_writer, NULL);
		while (!atomic_load(&inline_race.writes))
			usleep(100);
		spin(random() % 20000);
		map[0] = 'M';
		map[50] = 'N';
		atomic_store(&inline_race.stop, true);
		pthread_join(thread, NULL);
		sync_file(inline_race.fd, map, INLINE_SIZE);
		forget(inline_race.fd, map, INLINE_SIZE);
		inline_content(want, 0);
		if (pread(inline_race.fd, got, INLINE_SIZE, 0) != INLINE_SIZE) {
			fail("beside write(2): the file is shorter now");
			break;
		}
		memcpy(want + 32, "WWWWWWWW", 8);
		lost += got[0] != 'M' || got[50] != 'N';
		zeros += memcmp(got + 1, want + 1, INLINE_SIZE - 1) && got[50] == 'N';
		munmap(map, INLINE_SIZE);
		close(inline_race.fd);
	}
	if (lost || zeros)
		fail("beside write(2): stores lost in %u rounds, other bytes wrong in %u, of %u",
		     lost, zeros, n);
	return lost || zeros || i < n;
}

void run_inline(void)
{
	unsigned int k, n = rounds(50), lost = 0;
	char name[INLINE_NAME], content[INLINE_SIZE];
	__u32 flags = 0;
	int fd;

	for (k = 0; k < INLINE_FILES; k++) {
		snprintf(name, sizeof(name), "inline.%u", k);
		inline_store(name, k);
	}
	fd = open_in_dir("inline.0", O_RDWR);
	if (fd < 0)
		die("inline.0");
	if (ioctl(fd, EXT4_IOC_CHECKPOINT, &flags))
		ksft_print_msg("no checkpoint by ioctl: %s\n", strerror(errno));
	close(fd);
	for (k = 0; k < INLINE_FILES; k++) {
		snprintf(name, sizeof(name), "inline.%u", k);
		inline_content(content, k);
		fd = open_in_dir(name, O_RDWR);
		if (fd < 0)
			die("%s", name);
		forget(fd, NULL, 0);
		lost += differs(fd, content, INLINE_SIZE) >= 0;
		close(fd);
		want(name, content, INLINE_SIZE);
	}
	if (lost)
		fail("%u of %u files lost what msync and fsync said is written", lost, INLINE_FILES);

	if (in_child("write(2) beside a store", inline_beside, &n, 60))
		fail("write(2) beside a store");
}

/* As truncate(2) does: by a path, with no file open for writing. */
static int unopened_grow(void *arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", *(int *)arg);
	if (!truncate(path, UNOPENED_SIZE))
		return 0;
	fail("truncate: %s", strerror(errno));
	return 1;
}

/* The file has been made, and written, before this mount. */
void run_unopened(void)
{
	int fd = open_in_dir("unopened", O_RDONLY);
	char content[UNOPENED_SIZE] = "";
	struct stat st;

	if (fd < 0)
		die("unopened");
	if (pread(fd, content, INLINE_SIZE, 0) != INLINE_SIZE)
		die("unopened: read");
	if (in_child("truncate(2)", unopened_grow, &fd, 60)) {
		fail("truncate(2) by path");
		return;
	}
	if (fstat(fd, &st) || st.st_size != UNOPENED_SIZE)
		fail("truncate(2) by path: the size is another");
	if (differs(fd, content, UNOPENED_SIZE) >= 0)
		fail("truncate(2) by path: the content is another");
	want("unopened", content, UNOPENED_SIZE);
	close(fd);
}

/* Not a block is left. */
static void noroom_fill(void)
{
	int fd = new_file("ballast", 0);
	off_t at = 0, len = 1 << 30;
	char name[INLINE_NAME];
	unsigned int k;

	while (len >= 1024) {
		if (fallocate(fd, 0, at, len))
			len /= 2;
		else
			at += len;
	}
	close(fd);
	/* What the metadata of one file had no use for. */
	for (k = 0; k < 10000; k++) {
		snprintf(name, sizeof(name), "ballast.%u", k);
		fd = open_in_dir(name, O_RDWR | O_CREAT);
		if (fd < 0)
			return;
		if (pwrite(fd, "B", 1, UNOPENED_SIZE) != 1 || fsync(fd)) {
			close(fd);
			return;
		}
		close(fd);
	}
	die("the disk does not get full");
}

static void noroom_bus(int sig)
{
	_exit(NOROOM_SIGBUS);
}

static int noroom_store(void *arg)
{
	char *map = map_file(*(int *)arg, INLINE_SIZE);

	signal(SIGBUS, noroom_bus);
	map[0] = 'M';
	return 0;
}

/*
 * The data are put back, and the inode is as valid as it was; fsck and the next
 * mount see to that. A read(2) here would mend it: it writes the inode's atime.
 */
void run_noroom(void)
{
	int fd = new_file("noroom", 0), status;
	char content[INLINE_SIZE];

	memset(content, 'i', INLINE_SIZE);
	put(fd, 'i', INLINE_SIZE, 0);
	sync_file(fd, NULL, 0);
	noroom_fill();
	status = in_child("a store to a full disk", noroom_store, &fd, 60);
	if (status != NOROOM_SIGBUS)
		fail("a store to a full disk: no SIGBUS, but %d", status);
	want("noroom", content, INLINE_SIZE);
	close(fd);
}
