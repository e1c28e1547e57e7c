// SPDX-License-Identifier: GPL-2.0
/*
 * handler DIR: does ->page_mkwrite of the filesystem at DIR return with
 * the page locked? Asked for a page with a block and for one in a hole. A
 * mkwritefs does the asking.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "call.h"
#include "tap.h"

#define ORACLE	"/tmp/mkwritefs"

static const char *dir;
static int oracle;

static void ask(unsigned long page)
{
	struct mkw_call call = { 0 };
	char name[100], buf[PAGE] = "block";
	char *map;
	int fd;

	snprintf(name, sizeof(name), "%s/handler", dir);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	expect(fd >= 0);
	expect(write(fd, buf, PAGE) == PAGE);
	expect(ftruncate(fd, 2 * PAGE) == 0);
	expect(fsync(fd) == 0);
	map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	expect(map != MAP_FAILED);
	expect(read_byte(map + page * PAGE) >= 0);
	call.addr = (uintptr_t)map + page * PAGE;
	expect(ioctl(oracle, MKW_IOC_CALL, &call) == 0);
	expect_eq(MKW_CALL_LOCKED, call.result);
	/* Whoever locked it, it is unlocked now. */
	expect(write_byte(map + page * PAGE, 'w') == 0);
	expect(msync(map, 2 * PAGE, MS_SYNC) == 0);
}

static void ask_block(void)
{
	ask(0);
}

static void ask_hole(void)
{
	ask(1);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "block", ask_block, 60 },
		{ "hole", ask_hole, 60 },
	};

	if (argc != 2)
		return 2;
	dir = argv[1];
	mkdir(ORACLE, 0700);
	if (mount("mkwrite", ORACLE, "mkwritefs", 0, NULL))
		return 2;
	oracle = open(ORACLE "/asks", O_RDWR | O_CREAT, 0600);
	return oracle < 0 ? 2 : run_tests(tests, 2);
}
