// SPDX-License-Identifier: GPL-2.0
/*
 * -c: a page is cut off the file, and the file extended again, while a write
 * fault prepares it. Whichever comes first: what is stored afterwards must be
 * in the file, not in a folio that is no longer a part of it. MADV_POPULATE_WRITE
 * makes the fault, for it does nothing but that.
 */
#include "fs_integrity.h"

#define CUT_ID		6U
#define CUT_ROUNDS	100U

static struct {
	pthread_barrier_t barrier;
	int fd;
} cut;

/* At any time within a timer tick; the other one begins likewise. */
static void cut_wait(struct thread *t)
{
	usleep(rnd(t, 10000));
}

static void *cut_thread(void *arg)
{
	unsigned int i;

	for (i = 0; i < CUT_ROUNDS; i++) {
		pthread_barrier_wait(&cut.barrier);
		cut_wait(arg);
		/* All of it: a large folio that a fault holds is not split. */
		if (ftruncate(cut.fd, 0) || ftruncate(cut.fd, page_size))
			fail("truncate: %s", strerror(errno));
		pthread_barrier_wait(&cut.barrier);
	}
	return NULL;
}

void run_cut(void)
{
	struct thread *t = &threads[0];
	__u64 found, *want = calloc(1, page_size);
	atomic_ullong *map;
	pthread_t pthread;
	unsigned int i;

	thread_init(t, 0);
	thread_init(&threads[1], 1);
	pthread_barrier_init(&cut.barrier, NULL, 2);
	cut.fd = open_in_dir("cut", O_RDWR | O_CREAT | O_TRUNC);
	if (cut.fd < 0 || !want || ftruncate(cut.fd, page_size))
		die("%s/cut", opt.dir);
	map = map_file(cut.fd, "cut", page_size);
	if (pthread_create(&pthread, NULL, cut_thread, &threads[1]))
		die("pthread_create");
	for (i = 0; i < CUT_ROUNDS; i++) {
		madvise((void *)map, page_size, MADV_DONTNEED);
		pthread_barrier_wait(&cut.barrier);
		cut_wait(t);
		/* Fails where the file ends before the page. */
		madvise((void *)map, page_size, MADV_POPULATE_WRITE);
		pthread_barrier_wait(&cut.barrier);
		want[0] = word(CUT_ID, 0, i + 1);
		atomic_store(&map[0], want[0]);
		if (pread(cut.fd, &found, 8, 0) != 8)
			fail("pread: %s", strerror(errno));
		else if (found != want[0])
			mismatch("a page that was cut off", CUT_ID, 0, want[0], found);
	}
	pthread_join(pthread, NULL);
	if (msync((void *)map, page_size, MS_SYNC) || fsync(cut.fd))
		fail("%s", strerror(errno));
	state_one("cut", CUT_ID, want, page_size);
	free(want);
}
