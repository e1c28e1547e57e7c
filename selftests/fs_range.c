// SPDX-License-Identifier: GPL-2.0
/* Stores beside a range of the file that a call replaces. */
#include "fs_cases.h"

#define RANGE_PAGES	4U
#define RANGE_FROM	100U
#define RANGE_TO	(2 * (off_t)page_size + 100)

static struct {
	int fd;
	char *map;
	atomic_bool stop;
	atomic_uint stores;
} beside;

static const char * const range_ways[] = { "clone", "copy", "punch", "zero" };

static void *store_beside(void *arg)
{
	unsigned int n;

	for (n = 1; !beside.stop; n++) {
		beside.map[RANGE_FROM - 1] = 1 + n % 255;
		beside.map[RANGE_TO] = 1 + n % 255;
		beside.stores = n;
		/* As the flusher does: msync() might wait for the call. */
		if (arg && n % 4 == 0)
			sync_file_range(beside.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	}
	return NULL;
}

/* Return: 0 or -1 and errno */
static int replace_range(unsigned int way, int fd, int source)
{
	size_t len = RANGE_TO - RANGE_FROM;
	struct file_clone_range range = {
		.src_fd = source,
		.src_length = len,
		.dest_offset = RANGE_FROM,
	};
	off_t in = 0, out = RANGE_FROM;

	switch (way) {
	case 0:
		return ioctl(fd, FICLONERANGE, &range);
	case 1:
		return copy_file_range(source, &in, fd, &out, len, 0) == (ssize_t)len ? 0 : -1;
	case 2:
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, RANGE_FROM, len);
	}
	return fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, RANGE_FROM, len);
}

/* Return: 0, 1 a store is lost, 2 the range has something else, 3 both, -1 not supported */
static int beside_one(unsigned int way, bool sync, const char *name, int source)
{
	size_t size = RANGE_PAGES * page_size, i;
	char *content = buffer(size, 'o');
	volatile char *touch;
	unsigned char last;
	int fd = new_file(name, 0), ret = 0, err;
	pthread_t t;

	put(fd, 'o', size, 0);
	sync_file(fd, NULL, 0);
	beside.fd = fd;
	beside.map = map_file(fd, size);
	for (i = 0, touch = beside.map; i < RANGE_PAGES; i++)
		(void)touch[i * page_size];
	beside.stop = false;
	beside.stores = 0;
	start_thread(&t, store_beside, sync ? &beside : NULL);
	while (!beside.stores)
		usleep(100);
	err = replace_range(way, fd, source) ? errno : 0;
	beside.stop = true;
	pthread_join(t, NULL);
	if (err) {
		if (!unsupported(err))
			fail("%s: %s", range_ways[way], strerror(err));
		ret = -1;
		goto out;
	}
	last = 1 + beside.stores % 255;
	memset(content + RANGE_FROM, way < 2 ? 'c' : 0, RANGE_TO - RANGE_FROM);
	content[RANGE_FROM - 1] = last;
	content[RANGE_TO] = last;
	for (i = 0; i < 2; i++) {
		if (byte_at(fd, RANGE_FROM - 1) != last || byte_at(fd, RANGE_TO) != last)
			ret |= 1;
		else if (differs(fd, content, size) >= 0)
			ret |= 2;
		sync_file(fd, beside.map, size);
		forget(fd, beside.map, size);
	}
	if (!ret)
		want(name, content, size);
out:
	munmap(beside.map, size);
	close(fd);
	free(content);
	return ret;
}

/* A clone that the server refuses, as source and destination overlap, changes nothing. */
static void refused_clone(void)
{
	struct file_clone_range range = {
		.src_length = 2 * page_size,
		.dest_offset = page_size,
	};
	size_t size = 3 * page_size;
	char *content = buffer(size, 'o');
	int fd = new_file("refused", 0);

	put(fd, 'o', size, 0);
	sync_file(fd, NULL, 0);
	put(fd, 'w', page_size, 2 * page_size);
	memset(content + 2 * page_size, 'w', page_size);
	range.src_fd = fd;
	if (!ioctl(fd, FICLONERANGE, &range))
		ksft_print_msg("a clone onto itself is not refused\n");
	else if (differs(fd, content, size) >= 0)
		fail("what was written is gone after a clone that failed (%s)", strerror(errno));
	else
		want("refused", content, size);
	close(fd);
	free(content);
}

/* A clone to the start of a file that the server does not know yet leaves the rest. */
static void early_clone(int source)
{
	struct file_clone_range range = { .src_fd = source, .src_length = page_size };
	size_t size = 64 * page_size;
	char *content = buffer(size, 'o');
	int fd = new_file("early", 0);
	struct stat st;

	put(fd, 'o', size, 0);
	memset(content, 'c', page_size);
	if (ioctl(fd, FICLONERANGE, &range)) {
		if (!unsupported(errno))
			fail("clone to the start of a file: %s", strerror(errno));
	} else if (fstat(fd, &st) || st.st_size != (off_t)size) {
		fail("a clone to the start of a file has cut it to %jd bytes",
		     (intmax_t)st.st_size);
	} else if (differs(fd, content, size) >= 0) {
		fail("a clone to the start of a file has changed byte %ld",
		     differs(fd, content, size));
	} else {
		want("early", content, size);
	}
	close(fd);
	free(content);
}

void run_beside(void)
{
	size_t size = RANGE_PAGES * page_size;
	unsigned int way, sync, i, n = rounds(40);
	int source = new_file("source", 0);

	put(source, 'c', size, 0);
	sync_file(source, NULL, 0);
	for (way = 0; way < ARRAY_SIZE(range_ways); way++) {
		for (sync = 0; sync < 2; sync++) {
			unsigned int lost = 0, other = 0;
			char name[64];
			int ret = 0;

			snprintf(name, sizeof(name), "beside.%s.%u", range_ways[way], sync);
			for (i = 0; i < n && ret >= 0; i++) {
				ret = beside_one(way, sync, name, source);
				lost += ret > 0 && (ret & 1);
				other += ret > 0 && (ret & 2);
			}
			if (ret < 0)
				ksft_print_msg("%s: not supported\n", range_ways[way]);
			else if (lost || other)
				fail("%s%s: a store is lost in %u of %u rounds, the range wrong in %u",
				     range_ways[way], sync ? " with writeback" : "",
				     lost, n, other);
			else
				ksft_print_msg("%s%s: %u rounds\n", range_ways[way],
					       sync ? " with writeback" : "", n);
		}
	}
	early_clone(source);
	close(source);
	refused_clone();
}
