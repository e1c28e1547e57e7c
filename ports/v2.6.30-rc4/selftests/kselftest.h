/* SPDX-License-Identifier: GPL-2.0 */
/* What selftests/fs_integrity.c needs of the newer kernel's header of this name. */
#ifndef KSELFTEST_H
#define KSELFTEST_H

#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KSFT_SKIP		4
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))
#define __noreturn		__attribute__((noreturn))

/* glibc's wants AT_EMPTY_PATH; the layout is the same. */
#define fstat(fd, st)		((int)syscall(SYS_fstat, fd, st))

/* This kernel takes a mode it does not know for preallocation, and reports success. */
#define fallocate(fd, mode, pos, len) \
	((mode) & ~FALLOC_FL_KEEP_SIZE ? (errno = EOPNOTSUPP, -1) : (fallocate)(fd, mode, pos, len))

static inline void ksft_print_msg(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

#endif /* KSELFTEST_H */
