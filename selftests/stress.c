// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that write through a mapping against msync, truncation, hole
 * punching, split folios, dropped caches and the flusher; then every byte is
 * compared.
 *
 * MKW_SEED=N repeats a run, as far as its threads run alike; MKW_SECONDS=N
 * makes it longer than the 5 s of each test.
 */
#include <stdatomic.h>
#include <time.h>

#include "mkwrite.h"

#define WRITERS	3
#define KEPT	64UL		/* pages that only writers change */
#define CHURNED	64UL		/* pages behind them, cut off and punched out, too */
#define PAGES	(KEPT + CHURNED)

MKW_FIXTURE(stress)

struct shared {
	struct mkw *m;
	unsigned int order;
	unsigned int seed;
	atomic_bool stop;
	atomic_ulong ops;
	atomic_uint failed;
};

struct worker {
	pthread_t thread;
	struct shared *s;
	unsigned int seed;
	unsigned int nr;
	uint32_t last[PAGES];	/* what a writer wrote last */
};

/* Every writer owns one word of each page. */
static volatile uint32_t *word(struct mkw *m, unsigned long page, unsigned int nr)
{
	return (volatile uint32_t *)(m->map + page * PAGE) + nr * 250 + 3;
}

/* Returns whether it was written: behind KEPT the page may be gone. */
static bool store(struct mkw *m, unsigned long page, unsigned int nr,
		  uint32_t value)
{
	bool done = false;

	if (!sigsetjmp(mkw_escape, 1)) {
		mkw_armed = 1;
		*word(m, page, nr) = value;
		done = true;
	}
	mkw_armed = 0;
	return done;
}

static void *writer(void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->s;

	while (!atomic_load(&s->stop)) {
		unsigned long page = rand_r(&w->seed) % PAGES;
		unsigned int run = 1 + rand_r(&w->seed) % 8;

		for (; run && page < PAGES; run--, page++) {
			uint32_t value = w->last[page] + 1;

			if (page < KEPT && *word(s->m, page, w->nr) != w->last[page])
				atomic_fetch_add(&s->failed, 1);
			if (store(s->m, page, w->nr, value))
				w->last[page] = value;
			else if (page < KEPT)
				atomic_fetch_add(&s->failed, 1);
			atomic_fetch_add(&s->ops, 1);
		}
	}
	return NULL;
}

/* Large folios where nothing is cached; a fault would make small ones. */
static void cache_all(struct shared *s)
{
	unsigned long page;
	char c;

	/* The end of the file may come earlier. */
	for (page = 0; page < PAGES; page += 1UL << s->order) {
		if (pread(s->m->fd, &c, 1, page * PAGE) < 0)
			atomic_fetch_add(&s->failed, 1);
	}
}

/* What may fail here fails because of what another thread does. */
static void *other(void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->s;
	struct mkw *m = s->m;

	while (!atomic_load(&s->stop)) {
		unsigned int r = rand_r(&w->seed);
		unsigned long page = r / 16 % PAGES;
		unsigned long behind = KEPT + page % CHURNED;
		unsigned long folio = 1UL << s->order;

		switch (r % 10) {
		case 0:
			if (msync(m->map + page * PAGE, PAGE, MS_SYNC))
				atomic_fetch_add(&s->failed, 1);
			break;
		case 1:
			if (fsync(m->fd))
				atomic_fetch_add(&s->failed, 1);
			break;
		case 2:
			if (ftruncate(m->fd, behind * PAGE + r % PAGE) ||
			    ftruncate(m->fd, PAGES * PAGE))
				atomic_fetch_add(&s->failed, 1);
			break;
		case 3:
			behind &= -folio;
			if (fallocate(m->fd, FALLOC_FL_PUNCH_HOLE |
				      FALLOC_FL_KEEP_SIZE, behind * PAGE,
				      folio * PAGE))
				atomic_fetch_add(&s->failed, 1);
			break;
		case 4:
			posix_fadvise(m->fd, 0, 0, POSIX_FADV_DONTNEED);
			break;
		case 5:
			madvise(m->map + page * PAGE, (PAGES - page) * PAGE,
				MADV_DONTNEED);
			break;
		case 6:
			sync_file_range(m->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
			break;
		case 7:
			if (ioctl(m->fd, MKW_IOC_CHECK))
				atomic_fetch_add(&s->failed, 1);
			break;
		case 8:
			cache_all(s);
			break;
		case 9:
			/* Only what is clean at the moment. */
			mkw_split(m);
			break;
		}
	}
	return NULL;
}

static unsigned int setting(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

static void run(struct __test_metadata *_metadata, struct mkw *m,
		unsigned int order, unsigned int flags)
{
	static struct worker workers[WRITERS + 2];
	struct shared s = {
		.m = m,
		.order = order,
		.seed = setting("MKW_SEED", time(NULL)),
	};
	unsigned long page;
	int i;

	mkw_open(_metadata, m, PAGES, order, 0);
	mkw_mode(m, .flags = flags | MKW_BACKGROUND);
	TH_LOG("MKW_SEED=%u", s.seed);
	cache_all(&s);
	for (i = 0; i < WRITERS + 2; i++) {
		workers[i] = (struct worker){ .s = &s, .nr = i, .seed = s.seed + i };
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL,
					    i < WRITERS ? writer : other,
					    &workers[i]));
	}
	sleep(setting("MKW_SECONDS", 5));
	atomic_store(&s.stop, true);
	for (i = 0; i < WRITERS + 2; i++)
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
	TH_LOG("%lu writes, %llu calls of ->page_mkwrite", atomic_load(&s.ops),
	       (unsigned long long)mkw_counts(m).page_mkwrite);
	EXPECT_EQ(0, atomic_load(&s.failed));

	/* From what was written back, not from the cache. */
	EXPECT_EQ(0, ioctl(m->fd, MKW_IOC_CHECK));
	ASSERT_EQ(0, msync(m->map, PAGES * PAGE, MS_SYNC));
	EXPECT_EQ(0, mkw_counts(m).tickets);
	mkw_forget(_metadata, m);
	for (page = 0; page < KEPT; page++) {
		for (i = 0; i < WRITERS; i++)
			EXPECT_EQ(workers[i].last[page], *word(m, page, i)) {
				TH_LOG("page %lu, writer %d", page, i);
			}
	}
	for (i = 0; i < MKW_VIOLATIONS; i++)
		EXPECT_EQ(0, mkw_violated(m, i));
}

TEST_F_TIMEOUT(stress, small_folios, 120)
{
	run(_metadata, &self->m, 0, 0);
}

TEST_F_TIMEOUT(stress, large_folios, 120)
{
	run(_metadata, &self->m, 3, MKW_WHOLE_FOLIO);
}

TEST_F_TIMEOUT(stress, large_folios_one_page, 120)
{
	run(_metadata, &self->m, 3, 0);
}

MKW_HARNESS_MAIN
