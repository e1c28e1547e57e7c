// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios for a real filesystem, one a run, where fs_integrity has a mix: a
 * store to a shared mapping beside one other thing that somebody found to lose
 * it, to undo it, or never to end.
 *
 * WANT is a folder on another filesystem. It gets a file for each file of DIR
 * whose content is known, to be compared with it after the next mount.
 *
 * Exit: 0 all is well, 1 it is not, 2 usage or environment, 4 (KSFT_SKIP) the
 * filesystem cannot do what the case needs; the last line says why.
 */
#include "fs_cases.h"
#include <signal.h>

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "growrace", run_growrace },
	{ "tail", run_tail },
	{ "copy", run_copy },
	{ "remote", run_remote },
	{ "peer", run_peer },
	{ "selfio", run_selfio },
	{ "direct", run_direct },
	{ "sparse", run_sparse },
	{ "creds", run_creds },
	{ "mtime", run_mtime },
	{ "throttle", run_throttle },
	{ "holes", run_holes },
	{ "dirty", run_dirty },
	{ "inline", run_inline },
	{ "unopened", run_unopened },
	{ "noroom", run_noroom },
	{ "lseek", run_lseek },
	{ "held", run_held },
	{ "beside", run_beside },
	{ "unwritten", run_unwritten },
	{ "grown", run_grown },
	{ "frozen", run_frozen },
	{ "stale", run_stale },
	{ "clone", run_clone },
	{ "shift", run_shift },
	{ "small", run_small },
	{ "moved", run_moved },
	{ "commit", run_commit },
	{ "pinned", run_pinned },
};

const char *dir, *server_dir, *dm_device;
size_t page_size;
static const char *want_dir, *known_ways = "";
static unsigned int opt_rounds;
static atomic_uint failures;

static void say(const char *what, const char *fmt, va_list ap)
{
	char msg[512];

	vsnprintf(msg, sizeof(msg), fmt, ap);
	ksft_print_msg("%s%s\n", what, msg);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	if (atomic_fetch_add(&failures, 1) >= 20)
		return;
	va_start(ap, fmt);
	say("FAIL: ", fmt, ap);
	va_end(ap);
}

void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	say("cannot go on: ", fmt, ap);
	va_end(ap);
	ksft_print_msg("%s\n", strerror(err));
	_exit(2);
}

void skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
	/* What has failed until then is not forgotten. */
	exit(atomic_load(&failures) ? 1 : KSFT_SKIP);
}

unsigned int rounds(unsigned int n)
{
	return opt_rounds ? opt_rounds : n;
}

bool known(const char *way)
{
	size_t len = strlen(way);
	const char *s;

	for (s = known_ways; (s = strstr(s, way)); s += len)
		if ((s == known_ways || s[-1] == ',') && (!s[len] || s[len] == ','))
			return true;
	return false;
}

int open_in_dir(const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, flags, 0600);
}

int new_file(const char *name, size_t size)
{
	int fd = open_in_dir(name, O_RDWR | O_CREAT | O_TRUNC);
	struct stat st;

	/* A device keeps its size. */
	if (fd < 0 || fstat(fd, &st) || (!S_ISBLK(st.st_mode) && ftruncate(fd, size)))
		die("%s/%s", dir, name);
	return fd;
}

int unused_file(const char *name, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (unlink(path) && errno != ENOENT)
		die("%s", path);
	return new_file(name, size);
}

int open_direct(const char *name)
{
	return open_in_dir(name, O_RDWR | O_DIRECT);
}

char *map_file(int fd, size_t len)
{
	char *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die("mmap");
	return map;
}

void *buffer(size_t len, int c)
{
	void *p;

	if (posix_memalign(&p, DIRECT_ALIGN, len))
		die("memory");
	return memset(p, c, len);
}

void put(int fd, int c, size_t len, off_t at)
{
	void *buf = buffer(len, c);

	if (pwrite(fd, buf, len, at) != (ssize_t)len)
		die("pwrite");
	free(buf);
}

void sync_file(int fd, char *map, size_t len)
{
	if (map && msync(map, len, MS_SYNC))
		fail("msync: %s", strerror(errno));
	if (fsync(fd))
		fail("fsync: %s", strerror(errno));
}

void forget(int fd, char *map, size_t len)
{
	if (map)
		madvise(map, len, MADV_DONTNEED);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

unsigned char byte_at(int fd, off_t at)
{
	unsigned char c;

	if (pread(fd, &c, 1, at) != 1) {
		fail("nothing can be read at %jd", (intmax_t)at);
		return 0;
	}
	return c;
}

void want(const char *name, const void *content, size_t len)
{
	char path[PATH_MAX];
	int fd;

	if (!want_dir)
		return;
	snprintf(path, sizeof(path), "%s/%s", want_dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, content, len) != (ssize_t)len || close(fd))
		die("%s", path);
}

long differs(int fd, const char *content, size_t len)
{
	char *buf = malloc(len);
	size_t got = 0, i;
	long at = -1;
	ssize_t n;

	if (!buf)
		die("memory");
	while (got < len && (n = pread(fd, buf + got, len - got, got)) > 0)
		got += n;
	for (i = 0; i < len && at < 0; i++)
		if (i >= got || buf[i] != content[i])
			at = i;
	free(buf);
	return at;
}

bool unsupported(int err)
{
	return err == EOPNOTSUPP || err == ENOTTY || err == EINVAL || err == EXDEV ||
	       err == ENOSYS;
}

/* Where a process stands that cannot be killed. */
static void show_stack(pid_t pid)
{
	static const char * const files[] = { "stack", "wchan", "status", "syscall" };
	char path[64], line[256];
	unsigned int i;
	FILE *f;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f)) {
			line[strcspn(line, "\n")] = 0;
			if (i != 2 || !strncmp(line, "State", 5))
				ksft_print_msg("%s: %s\n", path, line);
		}
		if (f)
			fclose(f);
	}
	/* Without CONFIG_STACKTRACE it is in the kernel's log only. */
	f = fopen("/proc/sysrq-trigger", "w");
	if (f) {
		fputc('w', f);
		fclose(f);
	}
}

/* Wait for @pid up to @seconds. */
static bool ended(pid_t pid, int *status, unsigned int seconds)
{
	unsigned int i;

	for (i = 0; i < seconds * 100; i++) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

/* Return: the status of @fn, or a number above; a child that died is a failure. */
int in_child(const char *what, int (*fn)(void *arg), void *arg, unsigned int seconds)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		status = fn(arg);
		fflush(stdout);
		_exit(status);
	}
	if (!ended(pid, &status, seconds)) {
		kill(pid, SIGKILL);
		if (ended(pid, &status, 30)) {
			fail("%s: not done after %u s, then killed", what, seconds);
			return CHILD_LATE;
		}
		fail("%s: not done after %u s, and cannot be killed", what, seconds);
		show_stack(pid);
		return CHILD_STUCK;
	}
	if (!WIFEXITED(status)) {
		fail("%s: signal %d", what, WTERMSIG(status));
		return 1;
	}
	return WEXITSTATUS(status);
}

void start_thread(pthread_t *t, void *(*fn)(void *arg), void *arg)
{
	if (pthread_create(t, NULL, fn, arg))
		die("pthread_create");
}

void spin(unsigned int n)
{
	while (n--)
		__asm__ volatile("" ::: "memory");
}

static void __noreturn help(void)
{
	unsigned int i;

	fprintf(stderr,
		"usage: fs_cases -d DIR [-w WANT] [-r ROUNDS] [-k WAY,...] [-x FOLDER] [-m NAME] CASE\n"
		"  -w WANT    folder for what the files of DIR must hold after the next mount\n"
		"  -k WAYS    of doing it that are known to go wrong\n"
		"  -x FOLDER  where the server has what is mounted on DIR\n"
		"  -m NAME    the device-mapper device that DIR is on; pinned: that it reads from\n"
		"CASE:");
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		fprintf(stderr, " %s", cases[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned int i;
	int c;

	page_size = sysconf(_SC_PAGESIZE);
	while ((c = getopt(argc, argv, "d:w:r:k:x:m:")) != -1) {
		switch (c) {
		case 'd':
			dir = optarg;
			break;
		case 'w':
			want_dir = optarg;
			break;
		case 'r':
			opt_rounds = atoi(optarg);
			break;
		case 'k':
			known_ways = optarg;
			break;
		case 'x':
			server_dir = optarg;
			break;
		case 'm':
			dm_device = optarg;
			break;
		default:
			help();
		}
	}
	if (!dir || optind != argc - 1)
		help();
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (strcmp(argv[optind], cases[i].name))
			continue;
		cases[i].run();
		return atomic_load(&failures) ? 1 : 0;
	}
	help();
}
