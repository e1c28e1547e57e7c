// SPDX-License-Identifier: GPL-2.0
/*
 * Write to files of a real filesystem through shared mappings, against
 * everything that cleans, cuts, punches, drops or freezes the same pages;
 * then compare every byte, at once and after the next mount.
 *
 * -N (no space), -e (I/O errors), -g (a file that grows), -w (a page written
 * to in part), -c (a page cut off) and -l (left to umount) replace the threads'
 * mix by one scenario each: what was stored without a signal and acknowledged by
 * msync(), fsync() or umount must be there, and what was not acknowledged must
 * have been reported.
 *
 * Exit: 0 all is well, 1 it is not, 2 usage or environment, 4 (KSFT_SKIP) the
 * filesystem cannot do what the run was asked for.
 */
#include "fs_integrity.h"

struct options opt = { .seconds = 10, .threads = 8 };

struct thread threads[MAX_THREADS];
atomic_bool stop;
atomic_bool failed;
unsigned long page_size;
static char *repeat;
__thread sigjmp_buf *bus_jmp;
__thread struct thread *self;

void fail(const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	/* The first failure explains, those it causes would hide it. */
	if (!atomic_exchange(&failed, true)) {
		ksft_print_msg("FAIL: %s%s%s\n", msg, self ? ", in " : "",
			       self ? self->doing : "");
		ksft_print_msg("repeat: %s\n", repeat);
	}
	atomic_store(&stop, true);
}

void die(const char *fmt, ...)
{
	va_list ap;
	int err = errno;

	fprintf(stderr, "fs_integrity: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (%s)\n", strerror(err));
	exit(2);
}

__u64 mix(__u64 x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

__u64 place(unsigned int file, size_t index)
{
	return mix(opt.seed ^ ((__u64)file << 56) ^ index);
}

/* What write number @gen leaves in word @index of @file. */
__u64 word(unsigned int file, size_t index, unsigned int gen)
{
	return gen ? place(file, index) ^ gen : 0;
}

/* The generation of a word found at @index, or -1 if it does not belong there. */
__s64 gen_of(unsigned int file, size_t index, __u64 found)
{
	__u64 gen = found ^ place(file, index);

	if (!found)
		return 0;
	return gen <= UINT32_MAX ? (__s64)gen : -1;
}

/* Say in words what stands at a place. */
static void describe(char *buf, size_t len, unsigned int file, size_t index, __u64 found)
{
	__s64 gen = gen_of(file, index, found);
	unsigned int f;
	size_t i;

	if (gen >= 0) {
		snprintf(buf, len, gen ? "generation %lld" : "zero", gen);
		return;
	}
	for (f = 0; f < FILES; f++) {
		for (i = 0; i < FILE_WORDS; i++) {
			gen = gen_of(f, i, found);
			if (gen < 0)
				continue;
			snprintf(buf, len, "generation %lld of file %u offset %zu",
				 gen, f, i * 8);
			return;
		}
	}
	snprintf(buf, len, "%#llx, never written", found);
}

void mismatch(const char *how, unsigned int file, size_t index, __u64 want, __u64 found)
{
	char w[80], g[80];

	describe(w, sizeof(w), file, index, want);
	describe(g, sizeof(g), file, index, found);
	fail("%s: file %u offset %zu (page %zu byte %zu, slot %zu): expected %s, found %s",
	     how, file, index * 8, index * 8 / page_size, index * 8 % page_size,
	     index / SLOT_WORDS, w, g);
}

bool read_all(int fd, void *buf, size_t len, off_t at)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, at + (off_t)done);

		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

unsigned int rnd(struct thread *t, unsigned int n)
{
	t->rng = mix(t->rng);
	return (t->rng >> 32) % n;
}

static void sigbus(int sig, siginfo_t *info, void *ctx)
{
	if (bus_jmp)
		siglongjmp(*bus_jmp, 1);
	/* Nobody expects it here: a mapped page below i_size with space to spare. */
	fail("SIGBUS at %p", info->si_addr);
	_exit(1);
}

static void watchdog(int sig)
{
	unsigned int i;

	for (i = 0; i < opt.threads; i++)
		ksft_print_msg("thread %u: %s\n", i, threads[i].doing);
	fail("not finished in time");
	_exit(1);
}

int open_in_dir(const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", opt.dir, name);
	return open(path, flags, 0600);
}

bool is_device(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISBLK(st.st_mode);
}

/* A device keeps its size. */
int set_size(int fd, size_t size)
{
	return is_device(fd) ? 0 : ftruncate(fd, size);
}

/* Map @fd, which is file @name, shared and writable. */
atomic_ullong *map_file(int fd, const char *name, size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die("mmap of %s/%s", opt.dir, name);
	return map;
}

void thread_init(struct thread *t, unsigned int id)
{
	t->id = id;
	t->rng = mix(opt.seed + id);
	t->doing = "start";
	if (posix_memalign((void **)&t->buf, DIRECT_ALIGN, BUF_BYTES))
		die("memory");
}

void start_threads(void *(*fn)(void *))
{
	unsigned int i;

	for (i = 0; i < opt.threads; i++) {
		thread_init(&threads[i], i);
		if (pthread_create(&threads[i].pthread, NULL, fn, &threads[i]))
			die("pthread_create");
	}
}

void join_threads(void)
{
	unsigned int i;

	for (i = 0; i < opt.threads; i++)
		pthread_join(threads[i].pthread, NULL);
}

static void __noreturn help(void)
{
	fprintf(stderr,
		"usage: fs_integrity -d DIR -o STATE [-s SEED] [-t SECONDS] [-n THREADS] [-Fa]\n"
		"       fs_integrity -d DIR -o STATE [-s SEED] -N MiB [-u UID] [-L]\n"
		"       fs_integrity -d DIR -o STATE [-s SEED] -e COMMAND\n"
		"       fs_integrity -d DIR -o STATE -v [-x]\n"
		"       fs_integrity -d DIR -o STATE -g | -w | -c | -l\n"
		"  -o STATE  what DIR must hold; on another filesystem\n"
		"  -F        freeze and thaw meanwhile\n"
		"  -a        whoever cuts, punches or extends a file is alone in it\n"
		"  -N MiB    store to a sparse file of this size: more than there is space for\n"
		"  -u UID    as this user (quota)\n"
		"  -L        msync may be the first to report that there was no space\n"
		"  -e CMD    CMD makes the device fail all writes\n"
		"  -v        verify, after the next mount; -x: change one byte first\n"
		"  -g        store beside what makes a file grow, and beside direct I/O\n"
		"  -w        store to a page of which a write() made a part dirty\n"
		"  -c        store to a page that was cut off the file during the fault\n"
		"  -l        store to clean pages, and leave it to umount to write them\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = sigbus, .sa_flags = SA_SIGINFO };
	void (*run)(void) = run_mix;
	bool seeded = false;
	size_t len = 0;
	int c;

	page_size = sysconf(_SC_PAGESIZE);
	opt.seed = time(NULL) ^ ((__u64)getpid() << 32);
	while ((c = getopt(argc, argv, "d:o:s:t:n:FaN:u:Le:vxgwcl")) != -1) {
		switch (c) {
		case 'd':
			opt.dir = optarg;
			break;
		case 'o':
			opt.state = optarg;
			break;
		case 's':
			opt.seed = strtoull(optarg, NULL, 0);
			seeded = true;
			break;
		case 't':
			opt.seconds = atoi(optarg);
			break;
		case 'n':
			opt.threads = atoi(optarg);
			break;
		case 'F':
			opt.freeze = true;
			break;
		case 'a':
			opt.alone = true;
			break;
		case 'N':
			opt.nospc_bytes = (size_t)atoi(optarg) << 20;
			run = run_nospc;
			break;
		case 'u':
			opt.uid = atoi(optarg);
			break;
		case 'L':
			opt.late = true;
			break;
		case 'e':
			opt.error_cmd = optarg;
			run = run_eio;
			break;
		case 'v':
			opt.verify = true;
			break;
		case 'x':
			opt.inject = true;
			break;
		case 'w':
			run = run_partial;
			break;
		case 'c':
			run = run_cut;
			break;
		case 'l':
			run = run_left;
			break;
		case 'g':
			run = run_grow;
			break;
		default:
			help();
		}
	}
	if (!opt.dir || !opt.state || optind != argc || !opt.threads ||
	    opt.threads > MAX_THREADS || !opt.seconds)
		help();
	for (c = 0; c < argc; c++)
		len += strlen(argv[c]) + 3;
	repeat = calloc(1, len + 40);
	if (!repeat)
		die("memory");
	for (c = 0; c < argc; c++)
		sprintf(repeat + strlen(repeat), strchr(argv[c], ' ') ? "'%s' " : "%s ", argv[c]);
	if (!opt.verify && !seeded)
		sprintf(repeat + strlen(repeat), "-s %llu", opt.seed);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGBUS, &sa, NULL);
	signal(SIGALRM, watchdog);
	alarm(opt.seconds * 2 + 60);

	if (!opt.verify)
		ksft_print_msg("seed %llu\n", opt.seed);
	if (opt.verify)
		run_verify();
	else
		run();
	return atomic_load(&failed) ? 1 : 0;
}
