/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The little of a test harness that static programs on v2.6.30 need: every test
 * runs in a process of its own with a time limit and is one TAP line.
 * kselftest_harness.h wants a newer kernel under it.
 */
#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096UL

struct test {
	const char *name;
	void (*run)(void);
	unsigned int seconds;	/* time limit */
};

/* Ends the test, that is, this process. */
#define fail(...) do { \
	printf("# %s:%d: ", __FILE__, __LINE__); \
	printf(__VA_ARGS__); \
	printf("\n"); \
	fflush(stdout); \
	_exit(1); \
} while (0)

#define expect(condition) do { \
	errno = 0; \
	if (!(condition)) \
		fail("not true: %s (errno %d)", #condition, errno); \
} while (0)

#define expect_eq(wanted, got) do { \
	unsigned long long w_ = (wanted), g_ = (got); \
	if (w_ != g_) \
		fail("%s is %llu, not %llu", #got, g_, w_); \
} while (0)

static __thread sigjmp_buf tap_escape;
static __thread volatile sig_atomic_t tap_armed;

static void tap_on_sigbus(int sig)
{
	if (!tap_armed)
		_exit(2);
	siglongjmp(tap_escape, sig);
}

/* Writes one byte. Returns 0, or SIGBUS if it could not be written. */
static inline int write_byte(volatile char *where, char value)
{
	int sig = sigsetjmp(tap_escape, 1);

	if (!sig) {
		tap_armed = 1;
		*where = value;
	}
	tap_armed = 0;
	return sig;
}

/* Reads one byte. Returns it, or -SIGBUS. */
static inline int read_byte(volatile char *where)
{
	int sig = sigsetjmp(tap_escape, 1);
	int value = 0;

	if (!sig) {
		tap_armed = 1;
		value = *(volatile unsigned char *)where;
	}
	tap_armed = 0;
	return sig ? -sig : value;
}

/*
 * Waits until the test ends. A task that faults in kernel mode for ever does
 * not get to see its alarm, nor a SIGKILL: that one is left behind.
 */
static inline int tap_wait(pid_t pid, unsigned int seconds, int *status)
{
	int left;

	for (left = (seconds + 10) * 100; left; left--) {
		pid_t ended = waitpid(pid, status, WNOHANG);

		if (ended)
			return ended == pid ? 0 : -1;
		usleep(10000);
	}
	printf("# does not end, nor die\n");
	*status = 1 << 8;	/* exited with 1 */
	return 0;
}

/* Runs all tests. Returns the exit status. */
static inline int run_tests(const struct test *tests, int count)
{
	struct sigaction action = { .sa_handler = tap_on_sigbus };
	int i, status, failed = 0;
	pid_t pid;

	sigaction(SIGBUS, &action, NULL);
	for (i = 0; i < count; i++) {
		fflush(stdout);
		pid = fork();
		if (!pid) {
			alarm(tests[i].seconds);
			tests[i].run();
			_exit(0);
		}
		if (pid < 0 || tap_wait(pid, tests[i].seconds, &status))
			exit(1);
		if (status) {
			failed = 1;
			if (WIFSIGNALED(status))
				printf("# ended by signal %d%s\n", WTERMSIG(status),
				       WTERMSIG(status) == SIGALRM ? " (time limit)" : "");
		}
		printf("%s %d %s\n", status ? "not ok" : "ok", i + 1, tests[i].name);
	}
	fflush(stdout);
	return failed;
}

#endif /* TAP_H */
