// SPDX-License-Identifier: GPL-2.0
/*
 * -N: more holes than blocks. Thread n stores to pages n, n + threads, ...,
 * one more thread syncs. The shadow is written after each store, so it holds
 * exactly what was stored, whenever the signal came.
 */
#include "fs_integrity.h"

static struct {
	atomic_ullong *map;
	atomic_ullong *shadow;
	int fd;
	atomic_ulong stored, refused;
	atomic_int sync_error;
} nospc;

#define NOSPC_ID	7U
#define NOSPC_PASSES	3U

static void store_page(struct thread *t, size_t page, unsigned int gen)
{
	size_t w, begin = page * page_size / 8;
	sigjmp_buf jmp;

	if (sigsetjmp(jmp, 1)) {
		bus_jmp = NULL;
		atomic_fetch_add(&nospc.refused, 1);
		return;
	}
	bus_jmp = &jmp;
	for (w = begin; w < begin + page_size / 8; w++) {
		atomic_store(&nospc.map[w], word(NOSPC_ID, w, gen));
		atomic_store(&nospc.shadow[w], word(NOSPC_ID, w, gen));
	}
	bus_jmp = NULL;
	atomic_fetch_add(&nospc.stored, 1);
}

static void *nospc_thread(void *arg)
{
	size_t page, pages = opt.nospc_bytes / page_size;
	unsigned int gen;

	self = arg;
	self->doing = "store without space";
	for (gen = 1; gen <= NOSPC_PASSES; gen++)
		for (page = self->id; page < pages; page += opt.threads)
			store_page(self, page, gen);
	return NULL;
}

static void *nospc_sync(void *arg)
{
	int fd = open_in_dir("nospc", O_RDWR);

	while (!atomic_load(&stop)) {
		usleep(30000);
		if (fsync(fd) && !atomic_load(&nospc.sync_error))
			atomic_store(&nospc.sync_error, errno);
	}
	close(fd);
	return NULL;
}

void run_nospc(void)
{
	size_t bytes = opt.nospc_bytes;
	pthread_t sync_thread;
	int err, ret;
	FILE *s;

	s = state_create(1);
	nospc.fd = open_in_dir("nospc", O_RDWR | O_CREAT | O_TRUNC);
	if (nospc.fd < 0 || ftruncate(nospc.fd, bytes) || fsync(nospc.fd))
		die("%s/nospc", opt.dir);
	if (opt.uid && (fchown(nospc.fd, opt.uid, -1) || setuid(opt.uid)))
		die("uid %u", opt.uid);
	nospc.map = map_file(nospc.fd, "nospc", bytes);
	nospc.shadow = calloc(bytes / 8, sizeof(*nospc.shadow));
	if (!nospc.shadow)
		die("memory");
	if (pthread_create(&sync_thread, NULL, nospc_sync, NULL))
		die("pthread_create");
	start_threads(nospc_thread);
	join_threads();
	atomic_store(&stop, true);
	pthread_join(sync_thread, NULL);

	err = atomic_load(&nospc.sync_error);
	ret = msync((void *)nospc.map, bytes, MS_SYNC);
	if (ret)
		err = errno;
	if (fsync(nospc.fd))
		err = errno;
	ksft_print_msg("%zu pages, stored %lu, SIGBUS %lu, msync and fsync: %s\n",
		       bytes / page_size, atomic_load(&nospc.stored),
		       atomic_load(&nospc.refused), err ? strerror(err) : "fine");
	if (err && !opt.late)
		fail("pages were stored without a signal, but msync or fsync: %s",
		     strerror(err));
	if (!err && !atomic_load(&nospc.refused))
		fail("no SIGBUS and no error: there was space for all of it");
	if (!atomic_load(&nospc.stored))
		fail("nothing could be stored");
	if (err)	/* reported: nothing was acknowledged */
		memset((void *)nospc.shadow, 0, bytes / 8 * sizeof(*nospc.shadow));
	state_file(s, "nospc", NOSPC_ID, bytes, err ? NOSPC_PASSES : 0);
	state_words(s, (void *)nospc.shadow, bytes / 8);
	state_close(s);
}
