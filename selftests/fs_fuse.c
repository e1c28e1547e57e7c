// SPDX-License-Identifier: GPL-2.0
/* FUSE with a server that knows lseek, and that answers, or refuses, when it is told to. */
#include "fs_cases.h"
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define FILE_PAGES	64U

/* Two files, "f" and "source". Each is a memfd, which the test can read directly. */
enum { ROOT = FUSE_ROOT_ID, NODE_F, NODE_SOURCE };

static struct {
	int dev, gate[2];
	int mem[2];
	pid_t pid;
	/* The answer to a call that changes a range, or reads "source", waits for a byte here. */
	struct shared {
		atomic_bool hold, held;
		/* A WRITE waits for such a call to overtake it. */
		atomic_bool slow, kept;
		/* The next WRITE fails. */
		atomic_bool refuse;
	} *shared;
} server;

static int node_mem(uint64_t node)
{
	return server.mem[node == NODE_SOURCE];
}

static void node_attr(struct fuse_attr *a, uint64_t node)
{
	struct stat st = { .st_mode = S_IFDIR | 0755 };

	if (node != ROOT) {
		if (fstat(node_mem(node), &st))
			_exit(1);
		st.st_mode = S_IFREG | 0600;
	}
	a->ino = node;
	a->mode = st.st_mode;
	a->nlink = 1;
	a->size = st.st_size;
	a->blocks = st.st_blocks;
	a->blksize = page_size;
}

static int copy_range(const struct fuse_copy_file_range_in *c, uint64_t node)
{
	static char buf[1 << 16];
	size_t done, n;

	for (done = 0; done < c->len; done += n) {
		n = c->len - done < sizeof(buf) ? c->len - done : sizeof(buf);
		if (pread(node_mem(node), buf, n, c->off_in + done) != (ssize_t)n ||
		    pwrite(node_mem(c->nodeid_out), buf, n, c->off_out + done) != (ssize_t)n)
			return -EIO;
	}
	return 0;
}

static int allocate_range(const struct fuse_fallocate_in *f, uint64_t node)
{
	int mem = node_mem(node);

	/* tmpfs punches holes, but cannot zero. */
	if (f->mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return fallocate(mem, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 f->offset, f->length) ? -errno : 0;
	return fallocate(mem, f->mode, f->offset, f->length) ? -errno : 0;
}

/* Return: the length of the answer in @res, or an error; -EAGAIN if there is none to be sent */
static ssize_t answer(const struct fuse_in_header *h, void *arg, char *res)
{
	union {
		struct fuse_init_out init;
		struct fuse_entry_out entry;
		struct fuse_attr_out attr;
		struct fuse_open_out open;
		struct fuse_write_out write;
		struct fuse_lseek_out lseek;
	} *out = (void *)res;
	int mem = node_mem(h->nodeid);

	memset(out, 0, sizeof(*out));
	switch (h->opcode) {
	case FUSE_INIT:
		out->init.major = FUSE_KERNEL_VERSION;
		out->init.minor = 31;
		out->init.max_readahead = 128 << 10;
		out->init.max_write = 128 << 10;
		out->init.flags = FUSE_BIG_WRITES;
		out->init.max_background = 16;
		out->init.congestion_threshold = 12;
		return sizeof(out->init);
	case FUSE_LOOKUP:
		if (!strcmp(arg, "f"))
			out->entry.nodeid = NODE_F;
		else if (!strcmp(arg, "source"))
			out->entry.nodeid = NODE_SOURCE;
		else
			return -ENOENT;
		out->entry.entry_valid = 1000;
		out->entry.attr_valid = 1000;
		node_attr(&out->entry.attr, out->entry.nodeid);
		return sizeof(out->entry);
	case FUSE_SETATTR: {
		struct fuse_setattr_in *a = arg;

		if (a->valid & FATTR_SIZE && ftruncate(mem, a->size))
			return -errno;
	}
		/* fallthrough */
	case FUSE_GETATTR:
		out->attr.attr_valid = 1000;
		node_attr(&out->attr.attr, h->nodeid);
		return sizeof(out->attr);
	case FUSE_OPEN:		/* which drops what is cached */
	case FUSE_OPENDIR:
		return sizeof(out->open);
	case FUSE_READ: {
		struct fuse_read_in *r = arg;
		ssize_t n = pread(mem, res, r->size, r->offset);

		return n < 0 ? -errno : n;
	}
	case FUSE_WRITE: {
		struct fuse_write_in *w = arg;

		if (server.shared->refuse) {
			server.shared->refuse = false;
			return -EIO;
		}
		out->write.size = pwrite(mem, w + 1, w->size, w->offset);
		return sizeof(out->write);
	}
	case FUSE_LSEEK: {
		struct fuse_lseek_in *l = arg;
		off_t at = lseek(mem, l->offset, l->whence);

		if (at < 0)
			return -errno;
		out->lseek.offset = at;
		return sizeof(out->lseek);
	}
	case FUSE_COPY_FILE_RANGE:
		out->write.size = ((struct fuse_copy_file_range_in *)arg)->len;
		return copy_range(arg, h->nodeid) ?: (ssize_t)sizeof(out->write);
	case FUSE_FALLOCATE:
		return allocate_range(arg, h->nodeid);
	case FUSE_FLUSH:
	case FUSE_FSYNC:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		return 0;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return -EAGAIN;
	}
	return -ENOSYS;
}

static bool waits(const struct fuse_in_header *h)
{
	return h->opcode == FUSE_COPY_FILE_RANGE || h->opcode == FUSE_FALLOCATE ||
	       (h->opcode == FUSE_READ && h->nodeid == NODE_SOURCE);
}

static void send_answer(struct fuse_out_header *o)
{
	if (write(server.dev, o, o->len) < 0 && errno != ENOENT)
		_exit(1);
}

/* The WRITE that waits. */
static char late[1 << 20];

static void end_write(void)
{
	static char buf[1 << 12];
	struct fuse_in_header *h = (void *)late;
	struct fuse_out_header *o = (void *)buf;

	if (!server.shared->kept)
		return;
	server.shared->kept = false;
	o->unique = h->unique;
	o->len = sizeof(*o) + answer(h, h + 1, (char *)(o + 1));
	send_answer(o);
}

static void __noreturn serve(void)
{
	static char in[1 << 20], buf[1 << 20];
	static struct {
		struct fuse_out_header o;
		char res[1 << 16];
	} later;
	struct fuse_in_header *h = (void *)in;
	struct fuse_out_header *o = (void *)buf;
	struct pollfd fds[2] = {
		{ .fd = server.dev, .events = POLLIN },
		{ .fd = server.gate[0], .events = POLLIN },
	};

	for (;;) {
		ssize_t len;
		char c;

		if (poll(fds, 2, server.shared->kept ? 2000 : -1) < 0)
			_exit(1);
		if (!(fds[0].revents | fds[1].revents)) {
			end_write();
			continue;
		}
		if (fds[1].revents & POLLIN) {
			if (read(server.gate[0], &c, 1) != 1)
				_exit(1);
			server.shared->held = false;
			send_answer(&later.o);
			continue;
		}
		len = read(server.dev, in, sizeof(in));
		if (len < 0) {
			if (errno == EINTR || errno == ENOENT || errno == EAGAIN)
				continue;
			_exit(0);	/* unmounted */
		}
		if (h->opcode == FUSE_WRITE && server.shared->slow) {
			end_write();
			memcpy(late, in, len);
			server.shared->kept = true;
			continue;
		}
		len = answer(h, h + 1, (char *)(o + 1));
		if (len == -EAGAIN)
			continue;
		o->unique = h->unique;
		o->error = len < 0 ? len : 0;
		o->len = sizeof(*o) + (len < 0 ? 0 : len);
		if (server.shared->hold && len >= 0 && waits(h)) {
			memcpy(&later, o, o->len);
			server.shared->hold = false;
			server.shared->held = true;
			continue;
		}
		send_answer(o);
		if (h->opcode == FUSE_COPY_FILE_RANGE || h->opcode == FUSE_FALLOCATE)
			end_write();
	}
}

static void stop_server(void)
{
	umount2(dir, MNT_DETACH);
	kill(server.pid, SIGKILL);
	waitpid(server.pid, NULL, 0);
}

static void start_server(void)
{
	char opt[128];
	int i;

	server.shared = mmap(NULL, page_size, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (server.shared == MAP_FAILED || pipe(server.gate))
		die("a FUSE server");
	for (i = 0; i < 2; i++) {
		server.mem[i] = syscall(SYS_memfd_create, "f", 0);
		if (server.mem[i] < 0)
			die("memfd");
	}
	server.dev = open("/dev/fuse", O_RDWR | O_NONBLOCK);
	if (server.dev < 0)
		skip("no /dev/fuse");
	snprintf(opt, sizeof(opt), "fd=%d,rootmode=40000,user_id=0,group_id=0", server.dev);
	if (mount("fs_fuse", dir, "fuse", MS_NOSUID | MS_NODEV, opt))
		die("mount of %s", dir);
	fflush(stdout);
	server.pid = fork();
	if (server.pid < 0)
		die("fork");
	if (!server.pid) {
		/* Nobody is to wait for it, whatever becomes of the test. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		serve();
	}
	/* It keeps the device open: if it dies, all calls fail, and none hangs. */
	close(server.dev);
	atexit(stop_server);
}

static int open_node(const char *name, size_t size, int c)
{
	int fd, mem = server.mem[!strcmp(name, "source")];

	if (ftruncate(mem, 0) || ftruncate(mem, size))
		die("memfd");
	if (c)
		put(mem, c, size, 0);
	fd = open_in_dir(name, O_RDWR);
	/* The kernel may know another size. */
	if (fd < 0 || ftruncate(fd, size))
		die("%s", name);
	return fd;
}

/* lseek: the server has holes, and the cache has dirty pages for them. */
static void lseek_round(unsigned int round)
{
	size_t size = FILE_PAGES * page_size;
	char *map, *got = buffer(size, 0);
	unsigned int i, missed = 0, wrong = 0;
	int fd = open_node("f", size, 0);
	off_t at, end;

	map = map_file(fd, size);
	for (i = round % 5; i < FILE_PAGES; i += 5)
		map[i * page_size + 7] = 'D';
	/* What cp and tar read. */
	for (at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0; at = end) {
		end = lseek(fd, at, SEEK_HOLE);
		if (end <= at || pread(fd, got + at, end - at, at) != end - at) {
			fail("SEEK_HOLE from %jd: %jd", (intmax_t)at, (intmax_t)end);
			break;
		}
	}
	for (i = 0; i < FILE_PAGES; i++)
		if (memcmp(got + i * page_size, map + i * page_size, page_size))
			missed++;
	if (missed)
		fail("round %u: %u pages with data are holes", round, missed);
	sync_file(fd, map, size);
	if (pread(server.mem[0], got, size, 0) != (ssize_t)size)
		die("memfd");
	for (i = round % 5; i < FILE_PAGES; i += 5)
		wrong += got[i * page_size + 7] != 'D';
	if (wrong)
		fail("round %u: the server has not got %u pages", round, wrong);
	munmap(map, size);
	close(fd);
	free(got);
}

/*
 * The server refuses to write what lseek() sends it. That is data all the same,
 * as long as nobody knows; and it is not lseek() whom the error is for.
 */
static void lseek_refused(void)
{
	int fd = open_node("f", 4 * page_size, 0), other = open_in_dir("f", O_RDWR);
	char *map = map_file(fd, 4 * page_size);
	unsigned int i, again;
	off_t at;

	/* The second error is as the first, which nobody has seen. */
	for (i = 1; i <= 2; i++) {
		map[i * page_size] = 'D';
		server.shared->refuse = true;
		for (again = 0; again < 2; again++) {
			at = lseek(fd, i * page_size, SEEK_DATA);
			if (at != (off_t)(i * page_size))
				fail("SEEK_DATA %u of what was refused: %jd: %s", again,
				     (intmax_t)at, at < 0 ? strerror(errno) : "");
		}
	}
	server.shared->refuse = false;
	if (!close(other))
		fail("close() does not say that a WRITE has failed");
	if (!fsync(fd))
		fail("fsync() does not say that a WRITE has failed");
	/* Whoever asks knows now. */
	if (lseek(fd, 3 * page_size, SEEK_DATA) >= 0 || errno != ENXIO)
		fail("there are no holes any more after an error");
	munmap(map, 4 * page_size);
	close(fd);
}

void run_lseek(void)
{
	unsigned int i, n = rounds(5);

	start_server();
	for (i = 0; i < n; i++)
		lseek_round(i);
	lseek_refused();
}

/*
 * held: the server has copied to, or zeroed, a range that ends within pages, and
 * its answer is under way. Somebody stores to what is beside the range. Or the
 * store is sent before the server has the call, and must not be written after it.
 */
#define HELD_PAGES	4U
#define HELD_FROM	100U
#define HELD_TO		(2 * (off_t)page_size + 100)

static struct {
	int fd, source;
	char *map;
	unsigned int way;
	bool sync;
	ssize_t ret;
	int err;
	atomic_bool returned, stored;
} held;

static const char * const held_ways[] = { "copy", "punch", "zero" };

static void held_change(off_t out, size_t len)
{
	static const int modes[] = {
		[1] = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		[2] = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	off_t in = 0;

	if (held.way)
		held.ret = fallocate(held.fd, modes[held.way], out, len) ? -1 : (ssize_t)len;
	else
		held.ret = copy_file_range(held.source, &in, held.fd, &out, len, 0);
	held.err = errno;
	held.returned = true;
}

static void *held_call(void *arg)
{
	(void)arg;
	held_change(HELD_FROM, HELD_TO - HELD_FROM);
	return NULL;
}

static void *held_store(void *arg)
{
	(void)arg;
	held.map[HELD_FROM - 1] = 'S';
	held.map[HELD_TO] = 'S';
	/* As the flusher does: msync() would wait for the call. */
	if (held.sync)
		sync_file_range(held.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	held.stored = true;
	return NULL;
}

/* @early: before the server has the call, and it is slow to write what the flusher sends */
static void held_one(unsigned int way, bool sync, bool early)
{
	size_t size = HELD_PAGES * page_size, i;
	unsigned int lost = 0, old = 0;
	char *content = buffer(size, 'o'), *got = buffer(size, 0);
	volatile char *touch;
	pthread_t call, store;

	memset(content + HELD_FROM, way ? 0 : 'c', HELD_TO - HELD_FROM);
	content[HELD_FROM - 1] = 'S';
	content[HELD_TO] = 'S';
	held.source = open_node("source", size, 'c');
	held.fd = open_node("f", size, 'o');
	held.map = map_file(held.fd, size);
	held.way = way;
	held.sync = sync;
	held.returned = false;
	held.stored = false;
	for (i = 0, touch = held.map; i < HELD_PAGES; i++)
		(void)touch[i * page_size];
	if (early) {
		/* The call waits for this WRITE; what is sent meanwhile goes after it. */
		server.shared->slow = true;
		held.map[size - 1] = 'S';
		content[size - 1] = 'S';
		sync_file_range(held.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		for (i = 0; i < 300 && !server.shared->kept; i++)
			usleep(10000);
	} else {
		server.shared->hold = true;
	}
	start_thread(&call, held_call, NULL);
	if (early)
		usleep(500000);
	else
		while (!server.shared->held && !held.returned)
			usleep(1000);
	start_thread(&store, held_store, NULL);
	/* It must be done in that time, or wait for the answer. */
	for (i = 0; i < 300 && !held.stored; i++)
		usleep(10000);
	server.shared->hold = false;
	if (server.shared->held && write(server.gate[1], "", 1) != 1)
		die("the server's gate");
	pthread_join(call, NULL);
	pthread_join(store, NULL);
	server.shared->slow = false;
	if (held.ret != HELD_TO - (off_t)HELD_FROM)
		fail("%s: %s", held_ways[way], held.ret < 0 ? strerror(held.err) : "too short");
	sync_file(held.fd, held.map, size);
	if (pread(server.mem[0], got, size, 0) != (ssize_t)size)
		die("memfd");
	lost = (got[HELD_FROM - 1] != 'S') + (got[HELD_TO] != 'S');
	for (i = HELD_FROM; i < (size_t)HELD_TO; i++)
		old += got[i] == 'o';
	if (lost || old)
		fail("%s, %s a store%s: %u of 2 stores lost, %u bytes have what was there before",
		     held_ways[way], early ? "behind" : "then",
		     sync ? " and writeback" : "", lost, old);
	else if (memcmp(got, content, size))
		fail("%s: the server has something else", held_ways[way]);
	else if (differs(held.fd, content, size) >= 0)
		fail("%s: the cache has something else", held_ways[way]);
	munmap(held.map, size);
	close(held.fd);
	close(held.source);
	free(content);
	free(got);
}

/* What was stored behind the end must not become contents when a copy goes behind it. */
static void held_tail(bool sync)
{
	int source = open_node("source", page_size, 'c'), fd = open_node("f", 700, 'o');
	char *map = map_file(fd, page_size);
	off_t in = 0, out = 2 * page_size;
	char at_server = 0;

	map[0] = 'o';
	map[1000] = 'G';
	if (sync)
		sync_file(fd, map, page_size);
	if (copy_file_range(source, &in, fd, &out, page_size, 0) != (ssize_t)page_size)
		fail("copy behind the end: %s", strerror(errno));
	if (byte_at(fd, 1000))
		fail("what was stored behind the end%s is read after a copy",
		     sync ? ", and synced," : "");
	map[1] = 'o';
	sync_file(fd, map, page_size);
	if (pread(server.mem[0], &at_server, 1, 1000) != 1 || at_server)
		fail("what was stored behind the end%s has reached the server",
		     sync ? ", and synced," : "");
	munmap(map, page_size);
	close(fd);
	close(source);
}

/* Somebody else has made the file grow. The page with the old end has that, and keeps it. */
static void held_grown(void)
{
	int source = open_node("source", page_size, 'c'), fd = open_node("f", 700, 'o');
	char *map = map_file(fd, page_size);
	off_t in = 0, out = 2 * page_size;

	put(server.mem[0], 'g', page_size - 700, 700);
	if (*(volatile char *)map != 'o')
		fail("the page with the old end has something else");
	if (copy_file_range(source, &in, fd, &out, page_size, 0) != (ssize_t)page_size)
		fail("copy behind the end: %s", strerror(errno));
	if (byte_at(fd, 1000) != 'g')
		fail("what somebody else has written behind the old end is not read after a copy");
	munmap(map, page_size);
	close(fd);
	close(source);
}

/*
 * The server has refused what was stored beside the range, or to the source. It must
 * neither be dropped nor be left out; and it is not the copy that the error is for.
 */
static void held_refused(bool from)
{
	size_t size = HELD_PAGES * page_size;
	int source = open_node("source", size, 'c'), fd = open_node("f", size, 'o');
	int stored = from ? source : fd, other = open_in_dir(from ? "source" : "f", O_RDWR);
	const char *what = from ? "of" : "beside";
	char *map = map_file(stored, size);
	unsigned int again;

	/* The second error is as the first, which nobody has been told. */
	for (again = 0; again < 2; again++) {
		off_t in = 0, out = HELD_FROM;
		ssize_t n;

		map[HELD_FROM - 1] = 'S' + again;
		server.shared->refuse = true;
		n = copy_file_range(source, &in, fd, &out, HELD_TO - HELD_FROM, 0);
		if (n >= 0 || errno != EIO)
			fail("copy %u %s what was refused: %zd: %s", again, what, n,
			     n < 0 ? strerror(errno) : "");
		if (map[HELD_FROM - 1] != (char)('S' + again))
			fail("copy %u drops a store %s it that was refused", again, what);
	}
	server.shared->refuse = false;
	if (!close(other))
		fail("close() does not say that a WRITE has failed, after a copy %s it", what);
	if (!fsync(stored))
		fail("fsync() does not say that a WRITE has failed, after a copy %s it", what);
	munmap(map, size);
	close(fd);
	close(source);
}

/*
 * The server has refused a store elsewhere in the file when nobody had it open. That is for
 * whoever calls fsync(), and for no other call.
 */
static void held_told(unsigned int way, bool from)
{
	size_t size = HELD_PAGES * page_size, i;
	int fd = open_node(from ? "source" : "f", size, 'o');
	char *map = map_file(fd, size);

	close(fd);
	map[3 * page_size] = 'S';
	server.shared->refuse = true;
	/* It writes back, and need not wait for the server. */
	munmap(map, size);
	for (i = 0; i < 3000 && server.shared->refuse; i++)
		usleep(10000);
	if (server.shared->refuse)
		die("munmap() has written nothing back");
	held.source = open_node("source", size, 'c');
	held.fd = open_node("f", size, 'o');
	held.way = way;
	held_change(HELD_FROM, HELD_TO - HELD_FROM);
	if (held.ret < 0)
		fail("%s after an error elsewhere in %s: %s", held_ways[way],
		     from ? "the source" : "the file", strerror(held.err));
	if (!fsync(from ? held.source : held.fd))
		fail("%s has taken the error from fsync()", held_ways[way]);
	close(held.fd);
	close(held.source);
}

static void *held_read(void *arg)
{
	int *fd = arg;

	if (pread(*fd, held.map, HELD_FROM, 0) != (ssize_t)HELD_FROM)
		fail("the direct read: %s", strerror(errno));
	return NULL;
}

/* A direct read into what the server leaves alone of a page lasts longer than the call. */
static void held_pinned(unsigned int way)
{
	size_t size = way ? page_size : 700, i;
	char *got = buffer(HELD_FROM, 0), *content = buffer(HELD_FROM, 'c');
	int direct;
	pthread_t read;

	held.source = open_node("source", page_size, 'c');
	held.fd = open_node("f", size, 'o');
	held.map = map_file(held.fd, page_size);
	held.way = way;
	direct = open_in_dir("source", O_RDONLY | O_DIRECT);
	if (direct < 0)
		die("O_DIRECT");
	server.shared->hold = true;
	start_thread(&read, held_read, &direct);
	for (i = 0; i < 3000 && !server.shared->held; i++)
		usleep(10000);
	if (!server.shared->held)
		die("no direct read");
	if (way)
		held_change(HELD_FROM, 100);
	else	/* The page with the old end is none of the copy's. */
		held_change(2 * page_size, page_size);
	if (held.ret < 0)
		fail("%s beside a direct read: %s", held_ways[way], strerror(held.err));
	if (write(server.gate[1], "", 1) != 1)
		die("the server's gate");
	pthread_join(read, NULL);
	if (memcmp(held.map, content, HELD_FROM))
		fail("%s: what a direct read has brought beside it is lost", held_ways[way]);
	sync_file(held.fd, held.map, page_size);
	if (pread(server.mem[0], got, HELD_FROM, 0) != (ssize_t)HELD_FROM)
		die("memfd");
	if (memcmp(got, content, HELD_FROM))
		fail("%s: the server has not got what a direct read has brought", held_ways[way]);
	munmap(held.map, page_size);
	close(direct);
	close(held.fd);
	close(held.source);
	free(got);
	free(content);
}

void run_held(void)
{
	unsigned int way;

	start_server();
	for (way = 0; way < ARRAY_SIZE(held_ways); way++) {
		held_one(way, false, false);
		held_one(way, true, false);
		held_one(way, true, true);
	}
	held_tail(false);
	held_tail(true);
	held_grown();
	held_refused(false);
	held_refused(true);
	held_told(0, true);
	for (way = 0; way < ARRAY_SIZE(held_ways); way++) {
		held_told(way, false);
		held_pinned(way);
	}
}
