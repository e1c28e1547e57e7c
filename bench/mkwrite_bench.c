// SPDX-License-Identifier: GPL-2.0
/*
 * mkwrite_bench - what a shared write fault costs, on a given directory
 *
 * Every test writes one byte to each of a number of pages through a mapping
 * and divides what that cost by the number of pages. The file is in the page
 * cache and clean before each repetition, so nothing but the fault path is
 * measured: no allocation of blocks, no I/O.
 *
 * Output: one CSV row for each metric of each test,
 *
 *	label,test,tasks,metric,unit,value,spread
 *
 * value is the median of the repetitions, spread is (max - min) / median in
 * per cent. The tests and the metrics are listed in usage().
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum unit { UNIT_NS, UNIT_INSN, UNIT_CYCLES };

enum {
	EXIT_USAGE = 2,
	EXIT_NO_CYCLES = 77,
};

/*
 * Repetitions that do not count: the first allocates what is kept, the second
 * moves the pages to the active list.
 */
#define WARM_UP 2

/* One row of the output for each of them, if the test has it. */
enum metric { COST, FAULTS, MAJOR, RSS, UNMAP, SYNC, NR_METRICS };

static const char * const metric_name[NR_METRICS] = {
	[COST]		= "cost",
	[FAULTS]	= "faults",
	[MAJOR]		= "major",
	[RSS]		= "rss",
	[UNMAP]		= "unmap",
	[SYNC]		= "sync",
};

struct sample {
	double m[NR_METRICS];
};

struct test {
	const char *name;
	const char *what;
	void (*run)(const struct test *t);
	bool random;		/* visit the pages in random order */
	bool sparse;		/* visit one page in opt.stride */
	bool small;		/* opt.files files of opt.small pages each */
	bool again;		/* write and msync before */
	bool read_first;	/* read every page before */
	bool read_only;		/* measure reads */
	int map_flags;
};

static struct {
	const char *label;
	const char *dir;
	const char *tests;
	const char *tasks;
	const char *command;
	size_t pages;
	size_t chunk;
	size_t stride;
	size_t small;
	size_t files;
	unsigned int reps;
	unsigned int rounds;
	unsigned int seed;
	bool processes;
	bool sync_all;
	bool advise_random;
	enum unit unit;
} opt = {
	.label = "-",
	.tests = "first,again,readwrite,random,sparse,small",
	.tasks = "1",
	.pages = 4096,
	.chunk = 1 << 20,
	.stride = 16,
	.small = 4,
	.files = 256,
	.reps = 5,
	.rounds = 8,
	.seed = 1,
	.unit = UNIT_NS,
};

static size_t page_size;
static int perf_fd = -1;

/*
 * Around the measured part, for a QEMU plugin that counts instructions by
 * function (bench/faultmap.c): a no-op with a number nobody else uses.
 */
static inline void mark_begin(void)
{
#ifdef __x86_64__
	asm volatile(".byte 0x0f, 0x1f, 0x80; .long 0x6d6b7701" ::: "memory");
#elif defined(__aarch64__)
	asm volatile("movz xzr, #0x7701" ::: "memory");
#endif
}

static inline void mark_end(void)
{
#ifdef __x86_64__
	asm volatile(".byte 0x0f, 0x1f, 0x80; .long 0x6d6b7702" ::: "memory");
#elif defined(__aarch64__)
	asm volatile("movz xzr, #0x7702" ::: "memory");
#endif
}

static void open_cycles(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.inherit = 1,
	};

	perf_fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (perf_fd < 0)
		err(EXIT_NO_CYCLES, "perf_event_open: no cycle counter here");
}

/* Now, in the unit asked for. */
static uint64_t now(void)
{
	struct timespec ts;
	uint64_t v;

	switch (opt.unit) {
	case UNIT_INSN:
#ifdef __x86_64__
		return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
		/* scripts/boot has it count nanoseconds. */
		asm volatile("mrs %0, cntvct_el0" : "=r" (v) :: "memory");
		return v;
#else
		errx(EXIT_USAGE, "-u insn is for x86-64 and arm64");
#endif
	case UNIT_CYCLES:
		if (read(perf_fd, &v, sizeof(v)) != sizeof(v))
			err(1, "read cycles");
		return v;
	case UNIT_NS:
	default:
		clock_gettime(CLOCK_MONOTONIC, &ts);
		return ts.tv_sec * 1000000000ull + ts.tv_nsec;
	}
}

/*
 * Let deferred work (RCU callbacks, kworkers) finish, and return just after a
 * timer tick. A short measurement then has no tick in it, and a long one has
 * the same number of them every time.
 */
static void settle(void)
{
	struct timespec a, b;

	usleep(100000);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &a);
	do {
		clock_gettime(CLOCK_MONOTONIC_COARSE, &b);
	} while (a.tv_nsec == b.tv_nsec && a.tv_sec == b.tv_sec);
}

/* Resident pages of this process, exact (statm's counters are batched). */
static size_t resident(void)
{
	char line[256];
	size_t kib = 0;
	FILE *f = fopen("/proc/self/smaps_rollup", "r");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %zu kB", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024 / page_size;
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static const char *unit_name(enum metric m)
{
	if (m == FAULTS || m == MAJOR)
		return "faults";
	if (opt.command)
		return opt.unit == UNIT_INSN ? "Minsn" : "ms";
	if (m == RSS)
		return "pages";
	switch (opt.unit) {
	case UNIT_INSN:
		return "insn/page";
	case UNIT_CYCLES:
		return "cycles/page";
	default:
		return "ns/page";
	}
}

/* Print the median and the spread of one metric; a negative sample: has none. */
static void report(const char *test, const char *tasks, enum metric m,
		   const struct sample *s)
{
	double *v = calloc(opt.reps, sizeof(*v)), median, spread;

	if (!v)
		err(1, "calloc");
	for (unsigned int i = 0; i < opt.reps; i++) {
		v[i] = s[i].m[m];
		if (v[i] < 0)
			goto out;
	}
	qsort(v, opt.reps, sizeof(*v), cmp_double);
	median = v[opt.reps / 2];
	spread = median ? 100 * (v[opt.reps - 1] - v[0]) / median : 0;
	printf("%s,%s,%s,%s,%s,%.2f,%.3f\n", opt.label, test, tasks,
	       metric_name[m], unit_name(m), median, spread);
	fflush(stdout);
out:
	free(v);
}

/*
 * A program of its own: what its processes and threads executed, and their
 * faults. Their CPU time is exact, the scheduler takes it at each switch.
 */
static void run_command(char **argv)
{
	struct sample *s = calloc(opt.reps, sizeof(*s));

	if (!s)
		err(1, "calloc");
	for (unsigned int rep = 0; rep < WARM_UP + opt.reps; rep++) {
		struct sample *r = &s[rep < WARM_UP ? 0 : rep - WARM_UP];
		struct rusage ru;
		int status;
		pid_t pid;

		settle();
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			execvp(argv[0], argv);
			err(127, "%s", argv[0]);
		}
		if (wait4(pid, &status, 0, &ru) != pid || status)
			errx(1, "%s failed (status 0x%x)", argv[0], status);
		r->m[COST] = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e3 +
			     (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e3;
		r->m[FAULTS] = ru.ru_minflt;
		r->m[MAJOR] = ru.ru_majflt;
	}
	for (enum metric m = COST; m <= MAJOR; m++)
		report(opt.command, "1", m, s);
	free(s);
}

/*
 * Create DIR/mkwrite_bench.NR with every page in the cache and clean. The
 * chunks of the write calls decide how large its folios are.
 */
static int make_file(size_t nr, size_t pages)
{
	char path[4096];
	size_t size = pages * page_size;
	char *buf = malloc(opt.chunk);
	int fd;

	if (!buf)
		err(1, "malloc");
	memset(buf, 'm', opt.chunk);
	snprintf(path, sizeof(path), "%s/mkwrite_bench.%zu", opt.dir, nr);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		err(1, "%s", path);
	for (size_t done = 0; done < size; ) {
		size_t len = size - done < opt.chunk ? size - done : opt.chunk;
		ssize_t n = pwrite(fd, buf, len, done);

		if (n <= 0)
			err(1, "%s: write", path);
		done += n;
	}
	if (fsync(fd))
		err(1, "%s: fsync", path);
	free(buf);
	return fd;
}

static void drop_file(size_t nr)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/mkwrite_bench.%zu", opt.dir, nr);
	if (unlink(path))
		err(1, "%s: unlink", path);
}

/* The pages that a test visits, in its order; the caller frees. */
static uint32_t *make_order(const struct test *t, size_t *count)
{
	size_t step = t->sparse ? opt.stride : 1;
	size_t n = (t->small ? opt.small * opt.files : opt.pages) / step;
	uint32_t *order = malloc(n * sizeof(*order));

	if (!order)
		err(1, "malloc");
	for (size_t i = 0; i < n; i++)
		order[i] = i * step;
	if (t->random) {
		srandom(opt.seed);
		for (size_t i = n - 1; i > 0; i--) {
			size_t j = random() % (i + 1);
			uint32_t x = order[i];

			order[i] = order[j];
			order[j] = x;
		}
	}
	*count = n;
	return order;
}

static void write_pages(char **page, size_t n, char c)
{
	for (size_t i = 0; i < n; i++)
		*(volatile char *)page[i] = c;
}

static void read_pages(char **page, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)*(volatile char *)page[i];
}

/* One file of all pages or many small ones; measure one pass over the pages. */
static void run_pass(const struct test *t)
{
	size_t nr_files = t->small ? opt.files : 1;
	size_t file_pages = t->small ? opt.small : opt.pages;
	size_t file_size = file_pages * page_size;
	int prot = t->read_only ? PROT_READ : PROT_READ | PROT_WRITE;
	bool anon = t->map_flags & MAP_ANONYMOUS;
	struct sample *s = calloc(opt.reps, sizeof(*s));
	size_t n;
	uint32_t *order = make_order(t, &n);
	char **page = calloc(n, sizeof(*page));
	char **map = calloc(nr_files, sizeof(*map));
	int *fd = calloc(nr_files, sizeof(*fd));

	if (!s || !page || !map || !fd)
		err(1, "calloc");
	for (size_t f = 0; f < nr_files; f++)
		fd[f] = anon ? -1 : make_file(f, file_pages);

	for (unsigned int rep = 0; rep < WARM_UP + opt.reps; rep++) {
		struct sample *r = &s[rep < WARM_UP ? 0 : rep - WARM_UP];
		struct rusage ru0, ru1;
		size_t rss;
		uint64_t start, end;

		for (size_t f = 0; f < nr_files; f++) {
			map[f] = mmap(NULL, file_size, prot, t->map_flags, fd[f], 0);
			if (map[f] == MAP_FAILED)
				err(1, "mmap");
			if (opt.advise_random &&
			    madvise(map[f], file_size, MADV_RANDOM))
				err(1, "madvise");
		}
		for (size_t i = 0; i < n; i++)
			page[i] = map[order[i] / file_pages] +
				  order[i] % file_pages * page_size;

		r->m[SYNC] = -1;
		if (t->again) {
			write_pages(page, n, 'a');
			settle();
			start = now();
			for (size_t f = 0; f < nr_files; f++)
				if (msync(map[f], file_size, MS_SYNC))
					err(1, "msync");
			r->m[SYNC] = (double)(now() - start) / n;
		}
		if (t->read_first)
			read_pages(page, n);

		rss = resident();
		getrusage(RUSAGE_SELF, &ru0);
		settle();
		mark_begin();
		start = now();
		if (t->read_only)
			read_pages(page, n);
		else
			write_pages(page, n, 'b' + rep % 16);
		end = now();
		mark_end();
		getrusage(RUSAGE_SELF, &ru1);
		r->m[COST] = (double)(end - start) / n;
		r->m[FAULTS] = ru1.ru_minflt - ru0.ru_minflt;
		r->m[MAJOR] = ru1.ru_majflt - ru0.ru_majflt;
		r->m[RSS] = (double)resident() - rss;

		settle();
		start = now();
		for (size_t f = 0; f < nr_files; f++)
			munmap(map[f], file_size);
		r->m[UNMAP] = (double)(now() - start) / n;
		for (size_t f = 0; f < nr_files; f++)
			if (!anon && fsync(fd[f]))
				err(1, "fsync");
		if (opt.sync_all && !anon && syncfs(fd[0]))
			err(1, "syncfs");
	}

	for (size_t f = 0; f < nr_files; f++) {
		if (anon)
			continue;
		close(fd[f]);
		drop_file(f);
	}
	for (enum metric m = 0; m < NR_METRICS; m++)
		report(t->name, "1", m, s);
	free(fd);
	free(map);
	free(page);
	free(order);
	free(s);
}

/* Contention: several tasks, in the manner of will-it-scale's page_fault3. */
enum sharing { ONE_MAPPING, MANY_MAPPINGS, PRIVATE_FILES };

struct worker {
	struct crew *crew;
	unsigned int id;
	uint64_t start, end;
};

struct crew {
	pthread_barrier_t start;
	enum sharing sharing;
	char *map;		/* ONE_MAPPING */
	int *fd;		/* one, or one for each task */
	struct worker worker[];
};

/*
 * Write all pages of the own part, drop the PTEs, and again. The pages stay in
 * the cache; ->page_mkwrite is called for each page of each round.
 */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;
	size_t size = opt.pages * page_size;

	pthread_barrier_wait(&c->start);
	/* Cycles are counted by the parent, for all of its children. */
	if (opt.unit != UNIT_CYCLES)
		w->start = now();
	for (unsigned int round = 0; round < opt.rounds; round++) {
		char *map, *end;

		if (c->sharing == ONE_MAPPING) {
			map = c->map + w->id * size;
		} else {
			int fd = c->fd[c->sharing == PRIVATE_FILES ? w->id : 0];

			map = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED, fd, 0);
			if (map == MAP_FAILED)
				err(1, "mmap");
		}
		end = map + size;
		for (char *p = map; p < end; p += page_size)
			*(volatile char *)p = round;
		if (c->sharing == ONE_MAPPING) {
			if (madvise(map, size, MADV_DONTNEED))
				err(1, "madvise");
		} else {
			munmap(map, size);
		}
	}
	if (opt.unit != UNIT_CYCLES)
		w->end = now();
	return NULL;
}

static void start_worker(struct worker *w, pthread_t *thread)
{
	pid_t pid;

	if (!opt.processes) {
		errno = pthread_create(thread, NULL, work, w);
		if (errno)
			err(1, "pthread_create");
		return;
	}
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		/* If one of us fails, the others wait at the barrier for ever. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(w);
		_exit(0);
	}
}

static void run_crew(const struct test *t, enum sharing sharing,
		     unsigned int tasks)
{
	size_t nr_files = sharing == PRIVATE_FILES ? tasks : 1;
	size_t file_pages = sharing == ONE_MAPPING ? opt.pages * tasks : opt.pages;
	size_t file_size = file_pages * page_size;
	size_t crew_size = sizeof(struct crew) + tasks * sizeof(struct worker);
	/* Shared, so that it serves processes too. */
	struct crew *c = mmap(NULL, crew_size, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sample *s = calloc(opt.reps, sizeof(*s));
	pthread_t *thread = calloc(tasks, sizeof(*thread));
	int *fd = calloc(nr_files, sizeof(*fd));
	pthread_barrierattr_t attr;
	char name[32];

	if (c == MAP_FAILED || !s || !thread || !fd)
		err(1, "no memory");
	for (size_t f = 0; f < nr_files; f++)
		fd[f] = make_file(f, file_pages);
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	c->sharing = sharing;
	c->fd = fd;

	for (unsigned int rep = 0; rep < WARM_UP + opt.reps; rep++) {
		struct sample *r = &s[rep < WARM_UP ? 0 : rep - WARM_UP];
		uint64_t start = UINT64_MAX, end = 0;

		pthread_barrier_init(&c->start, &attr, tasks);
		if (sharing == ONE_MAPPING) {
			c->map = mmap(NULL, file_size, PROT_READ | PROT_WRITE,
				      MAP_SHARED, fd[0], 0);
			if (c->map == MAP_FAILED)
				err(1, "mmap");
		}
		if (opt.unit == UNIT_CYCLES)
			start = now();
		for (unsigned int i = 0; i < tasks; i++) {
			c->worker[i] = (struct worker){ .crew = c, .id = i };
			start_worker(&c->worker[i], &thread[i]);
		}
		for (unsigned int i = 0; i < tasks; i++) {
			int status;

			if (!opt.processes)
				pthread_join(thread[i], NULL);
			else if (wait(&status) < 0 || status)
				errx(1, "a worker failed");
		}
		if (opt.unit == UNIT_CYCLES) {
			/* Those of a child were added when it ended. */
			end = now();
		} else {
			/* From the first that began to the last that ended. */
			for (unsigned int i = 0; i < tasks; i++) {
				if (c->worker[i].start < start)
					start = c->worker[i].start;
				if (c->worker[i].end > end)
					end = c->worker[i].end;
			}
		}
		r->m[COST] = (double)(end - start) / tasks / opt.rounds / opt.pages;
		if (sharing == ONE_MAPPING)
			munmap(c->map, file_size);
		pthread_barrier_destroy(&c->start);
	}

	for (size_t f = 0; f < nr_files; f++) {
		close(fd[f]);
		drop_file(f);
	}
	snprintf(name, sizeof(name), "%u%c", tasks, opt.processes ? 'p' : 't');
	report(t->name, name, COST, s);
	munmap(c, crew_size);
	free(fd);
	free(thread);
	free(s);
}

static void run_crews(const struct test *t)
{
	enum sharing sharing = ONE_MAPPING;
	char *list = strdup(opt.tasks), *next = list, *item;

	if (!list)
		err(1, "strdup");
	if (!strcmp(t->name, "maps"))
		sharing = MANY_MAPPINGS;
	else if (!strcmp(t->name, "files"))
		sharing = PRIVATE_FILES;
	while ((item = strsep(&next, ",")))
		run_crew(t, sharing, atoi(item));
	free(list);
}

static const struct test tests[] = {
	{ .name = "first", .run = run_pass, .map_flags = MAP_SHARED,
	  .what = "first write to a cached page that is not mapped" },
	{ .name = "again", .run = run_pass, .map_flags = MAP_SHARED,
	  .again = true,
	  .what = "write again after msync" },
	{ .name = "readwrite", .run = run_pass, .map_flags = MAP_SHARED,
	  .read_first = true,
	  .what = "write to a page that a read has mapped" },
	{ .name = "random", .run = run_pass, .map_flags = MAP_SHARED,
	  .random = true,
	  .what = "as first, in random order" },
	{ .name = "sparse", .run = run_pass, .map_flags = MAP_SHARED,
	  .sparse = true,
	  .what = "as first, one page in STRIDE" },
	{ .name = "small", .run = run_pass, .map_flags = MAP_SHARED,
	  .small = true,
	  .what = "as first, many small files" },
	{ .name = "read", .run = run_pass, .map_flags = MAP_SHARED,
	  .read_only = true,
	  .what = "first read of a cached page (no ->page_mkwrite)" },
	{ .name = "private", .run = run_pass, .map_flags = MAP_PRIVATE,
	  .what = "first write to a private mapping (no ->page_mkwrite)" },
	{ .name = "anon", .run = run_pass,
	  .map_flags = MAP_PRIVATE | MAP_ANONYMOUS,
	  .what = "first write to anonymous memory (no ->page_mkwrite)" },
	{ .name = "one", .run = run_crews,
	  .what = "TASKS: one file, one mapping, a part for each task" },
	{ .name = "maps", .run = run_crews,
	  .what = "TASKS: one file, the same pages, a mapping for each task" },
	{ .name = "files", .run = run_crews,
	  .what = "TASKS: a file and a mapping for each task" },
};

#define NR_TESTS (sizeof(tests) / sizeof(tests[0]))

static void usage(FILE *f)
{
	fprintf(f,
		"usage: mkwrite_bench [OPTION]... DIR\n"
		"       mkwrite_bench [OPTION]... -x NAME COMMAND...\n"
		"  -l LABEL   first column of the output (%s)\n"
		"  -t TESTS   which, separated by commas (%s)\n"
		"  -n PAGES   pages of the file (%zu)\n"
		"  -r REPS    repetitions; two more before do not count (%u)\n"
		"  -w KIB     size of the write calls that fill the file (%zu)\n"
		"  -s STRIDE  of the test sparse (%zu)\n"
		"  -f PAGES   of a small file (%zu)\n"
		"  -F FILES   how many small files (%zu)\n"
		"  -S SEED    of the random order (%u)\n"
		"  -A         MADV_RANDOM on each mapping (not with tasks)\n"
		"  -u UNIT    ns, cycles, or insn: what QEMU -icount shift=0 counts (ns)\n"
		"  -j TASKS   numbers of tasks, separated by commas (%s)\n"
		"  -P         the tasks are processes, not threads\n"
		"  -R ROUNDS  of each task (%u)\n"
		"  -y         sync the whole filesystem after a repetition, not the file\n"
		"             alone: what it puts off then falls into none of them\n"
		"  -x NAME    instead of the tests: the CPU time (with -u insn: millions\n"
		"             of instructions) and the faults of COMMAND\n"
		"tests:\n",
		opt.label, opt.tests, opt.pages, opt.reps, opt.chunk >> 10,
		opt.stride, opt.small, opt.files, opt.seed, opt.tasks, opt.rounds);
	for (size_t i = 0; i < NR_TESTS; i++)
		fprintf(f, "  %-10s %s\n", tests[i].name, tests[i].what);
	fprintf(f,
		"metrics:\n"
		"  cost       of the accesses, by page; with tasks: elapsed time (or\n"
		"             cycles of all tasks) by page written by any of them\n"
		"  faults     minor faults of one repetition\n"
		"  major      major faults of one repetition: 0, or the file was not cached\n"
		"  rss        pages mapped by the accesses\n"
		"  unmap      munmap after them, by page accessed\n"
		"  sync       msync before the second write (again), by page\n");
}

/* A number from @min to a sane limit, or a usage error. */
static size_t number(const char *arg, char letter, size_t min)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (*end || end == arg || *arg == '-' || v < min || v > 1 << 24)
		errx(EXIT_USAGE, "-%c %s: a number from %zu", letter, arg, min);
	return v;
}

/* The next item of a list of test names, or NULL at its end. */
static const struct test *next_test(char **list)
{
	char *item = strsep(list, ",");

	if (!item)
		return NULL;
	for (size_t i = 0; i < NR_TESTS; i++)
		if (!strcmp(item, tests[i].name))
			return &tests[i];
	errx(EXIT_USAGE, "-t %s: no such test", item);
}

/* Calls @run for each test of -t; NULL only looks whether there are such. */
static void do_tests(bool run)
{
	char *list = strdup(opt.tests), *next = list;
	const struct test *t;

	if (!list)
		err(1, "strdup");
	while ((t = next_test(&next)))
		if (run)
			t->run(t);
	free(list);
}

static void check_tasks(const char *arg)
{
	char *list = strdup(arg), *next = list, *item;

	if (!list)
		err(1, "strdup");
	while ((item = strsep(&next, ",")))
		number(item, 'j', 1);
	free(list);
}

static void parse(int argc, char **argv)
{
	bool help = false;
	int c;

	/* +: what follows COMMAND is its own. */
	while ((c = getopt(argc, argv, "+l:t:n:r:w:s:f:F:S:Au:j:PR:yx:h")) != -1) {
		switch (c) {
		case 'l':
			opt.label = optarg;
			break;
		case 't':
			opt.tests = optarg;
			break;
		case 'n':
			opt.pages = number(optarg, c, 1);
			break;
		case 'r':
			opt.reps = number(optarg, c, 1);
			break;
		case 'w':
			opt.chunk = number(optarg, c, 1) << 10;
			break;
		case 's':
			opt.stride = number(optarg, c, 1);
			break;
		case 'f':
			opt.small = number(optarg, c, 1);
			break;
		case 'F':
			opt.files = number(optarg, c, 1);
			break;
		case 'S':
			opt.seed = number(optarg, c, 0);
			break;
		case 'u':
			if (!strcmp(optarg, "ns"))
				opt.unit = UNIT_NS;
			else if (!strcmp(optarg, "insn"))
				opt.unit = UNIT_INSN;
			else if (!strcmp(optarg, "cycles"))
				opt.unit = UNIT_CYCLES;
			else
				errx(EXIT_USAGE, "-u %s: ns, insn or cycles", optarg);
			break;
		case 'j':
			opt.tasks = optarg;
			check_tasks(optarg);
			break;
		case 'P':
			opt.processes = true;
			break;
		case 'R':
			opt.rounds = number(optarg, c, 1);
			break;
		case 'A':
			opt.advise_random = true;
			break;
		case 'y':
			opt.sync_all = true;
			break;
		case 'x':
			opt.command = optarg;
			break;
		case 'h':
			help = true;
			break;
		default:
			errx(EXIT_USAGE, "see mkwrite_bench -h");
		}
	}
	if (opt.pages < opt.stride)
		errx(EXIT_USAGE, "-s %zu: more than the pages there are", opt.stride);
	do_tests(false);
	if (help) {
		usage(stdout);
		exit(0);
	}
	if (opt.command ? optind == argc : optind != argc - 1)
		errx(EXIT_USAGE, "one folder, or a command after -x, see mkwrite_bench -h");
	opt.dir = argv[optind];
}

int main(int argc, char **argv)
{
	page_size = sysconf(_SC_PAGESIZE);
	parse(argc, argv);
	if (opt.unit == UNIT_CYCLES)
		open_cycles();

	if (opt.command)
		run_command(argv + optind);
	else
		do_tests(true);
	return 0;
}
