// SPDX-License-Identifier: GPL-2.0
/*
 * The mix: threads write to the files in all ways at once.
 *
 * The files are divided into slots of SLOT_WORDS 64-bit words. A slot is not
 * a divisor of a page: slots straddle pages, and every page carries slots of
 * several threads. Each word stored says where it belongs and which write of
 * its slot put it there (see word()), so a wrong word can be explained.
 *
 * In a "kept" file a slot has a lock and a generation. Whoever changes a slot,
 * by a store, a write(), a truncate or a punch, holds its lock and updates the
 * generation, so the expected content is known exactly at any time. The page
 * is not locked: fault, writeback, partial truncate and invalidation of one
 * page race for real. In the "wild" file nothing is coordinated, stores may
 * even get SIGBUS; every word must be zero or one that was stored there, or
 * the bytes of several of those (see torn()), and what the page cache holds in
 * the end must be what the next mount reads.
 */
#include "fs_integrity.h"

#define SECTOR_SLOTS	64U	/* whole sectors, too */
#define MAX_RUN		8U	/* slots changed by one small operation */
#define KEPT		2U	/* files 0 and 1; the next one is the wild file */

struct file {
	unsigned int id;
	bool wild;
	bool device;			/* keeps its size, wants whole sectors */
	int fd;
	int direct;			/* O_DIRECT descriptor, or -1 */
	atomic_ullong *map;
	pthread_rwlock_t dirty_lock;	/* outermost; for dirtying without slot locks */
	pthread_mutex_t size_lock;	/* outside the slot locks */
	atomic_uint size;		/* kept file, in slots: under the locks of all it passes */
	pthread_mutex_t slot_lock[SLOTS];	/* taken in ascending order */
	atomic_uint gen[SLOTS];		/* 0: reads as zero */
};

struct op {
	const char *name;
	unsigned int weight;
	void (*fn)(struct op *op, struct thread *t, struct file *f);
	atomic_int unsupported;		/* an errno */
	atomic_ulong done;
};

/* Shared with the process that freezes. */
struct freeze {
	atomic_uint epoch;		/* odd: the filesystem is frozen */
	atomic_bool stop;
	atomic_int error;
};

static struct file files[FILES];
static unsigned int nfiles = FILES;
static struct freeze *freeze;

/*
 * The kernel may copy and clear a page byte by byte, as x86's "rep movsb"
 * does under emulation. Where nothing is coordinated, a word is then made of
 * the bytes of several of its generations, all of them up to @max, and zero.
 */
static bool torn(unsigned int file, size_t index, __u64 found, unsigned int max)
{
	__u64 diff = found ^ place(file, index);
	unsigned int shift;

	for (shift = 0; shift < 64; shift += 8)
		if ((found >> shift & 0xff) &&
		    (diff >> shift & 0xff) > (shift < 32 ? max >> shift : 0))
			return false;
	return true;
}

/*
 * Freezing. A process of its own does it: a write fault that waits for the
 * thaw holds mmap_lock, and the one who thaws must never need it.
 */
static void freeze_loop(void)
{
	int fd = open(opt.dir, O_RDONLY | O_DIRECTORY);

	while (!atomic_load(&freeze->stop) && getppid() != 1) {
		usleep(30000);
		if (fd < 0 || ioctl(fd, FIFREEZE, 0)) {
			/* f2fs: something was dirty again after the sync. */
			if (errno == EINVAL)
				continue;
			atomic_store(&freeze->error, errno);
			break;
		}
		atomic_fetch_add(&freeze->epoch, 1);
		usleep(20000);
		atomic_fetch_add(&freeze->epoch, 1);
		if (ioctl(fd, FITHAW, 0)) {
			atomic_store(&freeze->error, errno);
			break;
		}
	}
	_exit(0);
}

static unsigned int freeze_epoch(void)
{
	return opt.freeze ? atomic_load(&freeze->epoch) : 0;
}

/* The caller changed the filesystem; it was at @before when it began. */
static void check_frozen(unsigned int before)
{
	if ((before & 1) && freeze_epoch() == before)
		fail("a change was completed while the filesystem was frozen");
}

/* Slots. */

static void lock_slots(struct file *f, unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++)
		pthread_mutex_lock(&f->slot_lock[i]);
}

static void unlock_slots(struct file *f, unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++)
		pthread_mutex_unlock(&f->slot_lock[i]);
}

/*
 * Pick a few slots below the end of the file and lock them (a wild file has
 * no locks). Half of the time they are where everybody else's are.
 *
 * Return: how many slots, 0 if the file ends before them (nothing is locked).
 */
static unsigned int pick(struct thread *t, struct file *f, unsigned int max_run,
			 unsigned int *first)
{
	static atomic_uint beat;
	unsigned int run = 1 + rnd(t, max_run);
	unsigned int hot = atomic_fetch_add(&beat, 1) / 256;

	if (rnd(t, 2))
		*first = (mix(opt.seed ^ hot) % SLOTS + rnd(t, 24)) % SLOTS;
	else
		*first = rnd(t, SLOTS);
	if (run > SLOTS - *first)
		run = SLOTS - *first;
	if (f->wild)
		return run;
	lock_slots(f, *first, run);
	if (*first + run <= atomic_load(&f->size))
		return run;
	unlock_slots(f, *first, run);
	return 0;
}

static void put(struct file *f, unsigned int first, unsigned int run)
{
	if (!f->wild)
		unlock_slots(f, first, run);
}

/* Nobody else changes anything of a kept file; writeback and reclaim go on. */
static void hold_file(struct file *f)
{
	pthread_rwlock_wrlock(&f->dirty_lock);
	lock_slots(f, 0, SLOTS);
}

static void release_file(struct file *f)
{
	unlock_slots(f, 0, SLOTS);
	pthread_rwlock_unlock(&f->dirty_lock);
}

static void set_gen(struct file *f, unsigned int first, unsigned int run, bool zero)
{
	unsigned int i;

	for (i = first; i < first + run; i++) {
		if (!zero)
			atomic_fetch_add(&f->gen[i], 1);
		else if (!f->wild)
			atomic_store(&f->gen[i], 0);
	}
}

/* @n words were read from word @first on. */
static void check(const char *how, struct file *f, const __u64 *buf, size_t first, size_t n)
{
	size_t w;

	for (w = first; w < first + n; w++) {
		unsigned int gen = atomic_load(&f->gen[w / SLOT_WORDS]);
		__u64 found = buf[w - first];

		if (f->wild) {
			if (torn(f->id, w, found, gen))
				continue;
		} else if (found == word(f->id, w, gen)) {
			continue;
		}
		mismatch(how, f->id, w, word(f->id, w, gen), found);
		return;
	}
}

/* Operations. */

static void op_store(struct op *op, struct thread *t, struct file *f)
{
	unsigned int first, run = pick(t, f, MAX_RUN, &first);
	sigjmp_buf jmp;
	size_t w, begin;

	if (!run)
		return;
	set_gen(f, first, run, false);
	begin = (size_t)first * SLOT_WORDS;
	if (f->wild) {
		if (sigsetjmp(jmp, 1)) {
			bus_jmp = NULL;
			t->sigbus++;
			return;
		}
		bus_jmp = &jmp;
	}
	for (w = begin; w < begin + (size_t)run * SLOT_WORDS; w++) {
		unsigned int gen = atomic_load(&f->gen[w / SLOT_WORDS]);
		unsigned int epoch = freeze_epoch();

		atomic_store_explicit(&f->map[w], word(f->id, w, gen), memory_order_relaxed);
		check_frozen(epoch);
	}
	bus_jmp = NULL;
	put(f, first, run);
}

static void op_read(struct op *op, struct thread *t, struct file *f)
{
	unsigned int first, run = pick(t, f, MAX_RUN, &first);
	size_t w, begin;
	sigjmp_buf jmp;

	if (!run)
		return;
	begin = (size_t)first * SLOT_WORDS;
	if (f->wild) {
		if (sigsetjmp(jmp, 1)) {
			bus_jmp = NULL;
			t->sigbus++;
			return;
		}
		bus_jmp = &jmp;
	}
	for (w = 0; w < (size_t)run * SLOT_WORDS; w++)
		t->buf[w] = atomic_load_explicit(&f->map[begin + w], memory_order_relaxed);
	bus_jmp = NULL;
	check("load", f, t->buf, begin, run * SLOT_WORDS);
	put(f, first, run);
}

static void op_pread(struct op *op, struct thread *t, struct file *f)
{
	unsigned int first, run = pick(t, f, MAX_RUN, &first);
	ssize_t n;
	bool busy;

	if (!run)
		return;
	/*
	 * The NFS of 6.12.117 drops the cache before a read if the server's file may
	 * have changed, and gives up on a page that was written back meanwhile but
	 * is not committed: no answer, but no wrong one.
	 */
	do {
		n = pread(f->fd, t->buf, run * SLOT_BYTES, (off_t)first * SLOT_BYTES);
		busy = n < 0 && errno == EBUSY && opt.alone;
		t->busy += busy;
	} while (busy && !atomic_load(&stop));
	if (!busy && (n < 0 || (!f->wild && n != (ssize_t)(run * SLOT_BYTES))))
		fail("pread: %zd, %s", n, strerror(errno));
	else if (!busy)
		check("read", f, t->buf, (size_t)first * SLOT_WORDS, (size_t)n / 8);
	put(f, first, run);
}

/* The content that words @first to @first + @n must have. */
static void fill(struct file *f, __u64 *buf, size_t first, size_t n)
{
	size_t w;

	for (w = first; w < first + n; w++)
		buf[w - first] = word(f->id, w, atomic_load(&f->gen[w / SLOT_WORDS]));
}

static void op_pwrite(struct op *op, struct thread *t, struct file *f)
{
	unsigned int first, run = pick(t, f, MAX_RUN, &first);
	unsigned int epoch = freeze_epoch();
	size_t begin, end;
	ssize_t n;

	if (!run)
		return;
	begin = (size_t)first * SLOT_BYTES;
	end = begin + run * SLOT_BYTES;
	if (f->wild) {
		/* It may extend the file: by whole pages. */
		begin -= begin % page_size;
		end += page_size - 1;
		end -= end % page_size;
		first = begin / SLOT_BYTES;
		run = (end + SLOT_BYTES - 1) / SLOT_BYTES - first;
	}
	set_gen(f, first, run, false);
	fill(f, t->buf, begin / 8, (end - begin) / 8);
	n = pwrite(f->fd, t->buf, end - begin, (off_t)begin);
	if (n != (ssize_t)(end - begin))
		fail("pwrite: %zd, %s", n, strerror(errno));
	check_frozen(epoch);
	put(f, first, run);
}

/*
 * Direct I/O beside stores to the same folio is undefined, and a folio may be
 * large: the whole file is held. Writeback and reclaim are not.
 */
static void op_direct(struct op *op, struct thread *t, struct file *f)
{
	unsigned int size, first, last, i, epoch;
	size_t begin, end;
	ssize_t n;

	if (f->wild)
		return;
	if (f->direct < 0) {
		atomic_store(&op->unsupported, EINVAL);
		return;
	}
	hold_file(f);
	size = atomic_load(&f->size);
	begin = (size_t)rnd(t, SLOTS) * SLOT_BYTES / DIRECT_ALIGN * DIRECT_ALIGN;
	end = begin + (1 + rnd(t, 8)) * DIRECT_ALIGN;
	if (end > (size_t)size * SLOT_BYTES)
		goto out;
	/* Slots that stick out of the range keep their content. */
	first = (begin + SLOT_BYTES - 1) / SLOT_BYTES;
	last = end / SLOT_BYTES;
	for (i = first; i < last; i++)
		atomic_fetch_add(&f->gen[i], 1);
	fill(f, t->buf, begin / 8, (end - begin) / 8);
	epoch = freeze_epoch();
	n = pwrite(f->direct, t->buf, end - begin, (off_t)begin);
	if (n != (ssize_t)(end - begin))
		fail("direct pwrite: %zd, %s", n, strerror(errno));
	check_frozen(epoch);
out:
	release_file(f);
}

/*
 * The wild file ends with a page: what is stored behind the end, but in its
 * page, may be lost or not, and nobody would know.
 */
static void truncate_wild(struct thread *t, struct file *f)
{
	off_t size = (off_t)(1 + rnd(t, FILE_BYTES / page_size)) * page_size;

	if (ftruncate(f->fd, size))
		fail("truncate to %jd: %s", (intmax_t)size, strerror(errno));
}

static void op_truncate(struct op *op, struct thread *t, struct file *f)
{
	unsigned int old, new, first, n, epoch;
	int ret;

	if (f->device) {
		atomic_store(&op->unsupported, EINVAL);
		return;
	}
	if (f->wild) {
		truncate_wild(t, f);
		return;
	}
	if (opt.alone)
		pthread_rwlock_wrlock(&f->dirty_lock);
	pthread_mutex_lock(&f->size_lock);
	old = atomic_load(&f->size);
	/* Mostly large, or there is little to do for the others. */
	new = rnd(t, 4) ? SLOTS - rnd(t, SLOTS / 8) : 1 + rnd(t, SLOTS);
	first = new < old ? new : old;
	n = (new < old ? old : new) - first;
	if (opt.alone) {
		first = 0;
		n = SLOTS;
	}
	lock_slots(f, first, n);
	if (opt.alone)
		madvise((void *)f->map, FILE_BYTES, MADV_DONTNEED);
	epoch = freeze_epoch();
	ret = new > old && rnd(t, 3) == 0 ?
		fallocate(f->fd, 0, 0, (off_t)new * SLOT_BYTES) : -1;
	if (ret)
		ret = ftruncate(f->fd, (off_t)new * SLOT_BYTES);
	if (ret)
		fail("truncate to %u: %s", new * SLOT_BYTES, strerror(errno));
	check_frozen(epoch);
	if (new < old)
		set_gen(f, new, old - new, true);
	atomic_store(&f->size, new);
	unlock_slots(f, first, n);
	pthread_mutex_unlock(&f->size_lock);
	if (opt.alone)
		pthread_rwlock_unlock(&f->dirty_lock);
}

static void do_fallocate(struct op *op, struct thread *t, struct file *f, int mode,
			 unsigned int max_run)
{
	unsigned int first, run, epoch;

	if (opt.alone) {
		hold_file(f);
		run = 1 + rnd(t, max_run);
		first = rnd(t, SLOTS - run);
		if (first + run > atomic_load(&f->size)) {
			release_file(f);
			return;
		}
	} else if (f->device) {
		run = SECTOR_SLOTS;
		first = rnd(t, SLOTS / run) * run;
		if (!f->wild)
			lock_slots(f, first, run);
	} else {
		run = pick(t, f, max_run, &first);
		if (!run)
			return;
	}
	epoch = freeze_epoch();
	if (!fallocate(f->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)first * SLOT_BYTES,
		       (off_t)run * SLOT_BYTES)) {
		if (mode)
			set_gen(f, first, run, true);
		check_frozen(epoch);
	} else if (errno == EOPNOTSUPP) {
		atomic_store(&op->unsupported, errno);
	} else {
		fail("fallocate mode %d: %s", mode, strerror(errno));
	}
	if (opt.alone)
		release_file(f);
	else
		put(f, first, run);
}

static void op_punch(struct op *op, struct thread *t, struct file *f)
{
	do_fallocate(op, t, f, FALLOC_FL_PUNCH_HOLE, 32);
}

static void op_zero(struct op *op, struct thread *t, struct file *f)
{
	do_fallocate(op, t, f, FALLOC_FL_ZERO_RANGE, 32);
}

static void op_allocate(struct op *op, struct thread *t, struct file *f)
{
	do_fallocate(op, t, f, 0, 32);
}

/* A clone is what the file was, whatever is stored to the file afterwards. */
static void op_clone(struct op *op, struct thread *t, struct file *f)
{
	unsigned int gen[SLOTS];
	unsigned int size, i;
	char path[PATH_MAX];
	size_t w = 0, end = 0;
	int fd;

	if (f->wild)
		return;
	snprintf(path, sizeof(path), "%s/clone.%u", opt.dir, t->id);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0) {
		fail("%s: %s", path, strerror(errno));
		return;
	}
	pthread_mutex_lock(&f->size_lock);
	size = atomic_load(&f->size);
	lock_slots(f, 0, size);
	if (!ioctl(fd, FICLONE, f->fd)) {
		for (i = 0; i < size; i++)
			gen[i] = atomic_load(&f->gen[i]);
		end = (size_t)size * SLOT_WORDS;
	} else if (errno == EOPNOTSUPP || errno == EXDEV || errno == EINVAL || errno == ENOTTY) {
		atomic_store(&op->unsupported, errno);
	} else {
		fail("clone: %s", strerror(errno));
	}
	unlock_slots(f, 0, size);
	pthread_mutex_unlock(&f->size_lock);

	while (w < end) {
		size_t len = end - w < BUF_BYTES / 8 ? end - w : BUF_BYTES / 8;

		if (!read_all(fd, t->buf, len * 8, (off_t)w * 8)) {
			fail("read of a clone: %s", strerror(errno));
			break;
		}
		for (i = 0; i < len; i++, w++) {
			__u64 want = word(f->id, w, gen[w / SLOT_WORDS]);

			if (t->buf[i] != want) {
				mismatch("clone", f->id, w, want, t->buf[i]);
				w = end;
				break;
			}
		}
	}
	close(fd);
	unlink(path);
}

static void op_fsync(struct op *op, struct thread *t, struct file *f)
{
	if (rnd(t, 2) ? fsync(f->fd) : fdatasync(f->fd))
		fail("fsync: %s", strerror(errno));
}

/* A range of the mapping, in whole pages, anywhere. */
static void *map_range(struct thread *t, struct file *f, size_t *len)
{
	size_t page = rnd(t, FILE_BYTES / page_size);

	*len = (1 + rnd(t, 64)) * page_size;
	if (page * page_size + *len > FILE_BYTES)
		*len = page_size;
	return (char *)f->map + page * page_size;
}

static void op_msync(struct op *op, struct thread *t, struct file *f)
{
	size_t len;
	void *addr = map_range(t, f, &len);

	if (msync(addr, len, MS_SYNC))
		fail("msync: %s", strerror(errno));
}

static void op_writeback(struct op *op, struct thread *t, struct file *f)
{
	sync_file_range(f->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void do_madvise(struct op *op, struct thread *t, struct file *f, int advice)
{
	size_t len;
	void *addr = map_range(t, f, &len);

	/* Populating meets the end of the file now and then. */
	if (madvise(addr, len, advice) && errno == EINVAL)
		atomic_store(&op->unsupported, errno);
}

static void op_unmap(struct op *op, struct thread *t, struct file *f)
{
	do_madvise(op, t, f, MADV_DONTNEED);
}

/* A write fault without a slot's lock: against truncate and punch of the same page. */
static void op_populate(struct op *op, struct thread *t, struct file *f)
{
	pthread_rwlock_rdlock(&f->dirty_lock);
	do_madvise(op, t, f, MADV_POPULATE_WRITE);
	pthread_rwlock_unlock(&f->dirty_lock);
}

static void op_pageout(struct op *op, struct thread *t, struct file *f)
{
	do_madvise(op, t, f, MADV_PAGEOUT);
}

static void op_forget(struct op *op, struct thread *t, struct file *f)
{
	size_t len;
	void *addr = map_range(t, f, &len);

	/* Mapped pages stay in the cache. */
	madvise(addr, len, MADV_DONTNEED);
	posix_fadvise(f->fd, (char *)addr - (char *)f->map, len, POSIX_FADV_DONTNEED);
}

static void op_drop_caches(struct op *op, struct thread *t, struct file *f)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0) {
		atomic_store(&op->unsupported, errno);
		return;
	}
	madvise((void *)f->map, FILE_BYTES, MADV_DONTNEED);
	if (write(fd, "1", 1) != 1)
		fail("drop_caches: %s", strerror(errno));
	close(fd);
}

static struct op ops[] = {
	{ "store",	400, op_store },
	{ "read",	60, op_read },
	{ "pread",	30, op_pread },
	{ "pwrite",	30, op_pwrite },
	{ "direct",	4, op_direct },
	{ "truncate",	12, op_truncate },
	{ "punch",	16, op_punch },
	{ "zero",	8, op_zero },
	{ "allocate",	6, op_allocate },
	{ "clone",	2, op_clone },
	{ "fsync",	6, op_fsync },
	{ "msync",	12, op_msync },
	{ "writeback",	24, op_writeback },
	{ "unmap",	12, op_unmap },
	{ "populate",	24, op_populate },
	{ "pageout",	8, op_pageout },
	{ "forget",	8, op_forget },
	{ "drop_caches", 1, op_drop_caches },
};

static void *mix_thread(void *arg)
{
	unsigned int i, total = 0;

	self = arg;
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	while (!atomic_load(&stop)) {
		unsigned int n = rnd(self, total);
		struct file *f = &files[rnd(self, nfiles)];

		for (i = 0; n >= ops[i].weight; i++)
			n -= ops[i].weight;
		if (atomic_load(&ops[i].unsupported))
			continue;
		self->doing = ops[i].name;
		ops[i].fn(&ops[i], self, f);
		atomic_fetch_add(&ops[i].done, 1);
	}
	self->doing = "done";
	return NULL;
}

static void file_init(struct file *f, unsigned int id)
{
	char name[32];
	unsigned int i;

	f->id = id;
	f->wild = id >= KEPT;
	snprintf(name, sizeof(name), "file.%u", id);
	f->fd = open_in_dir(name, O_RDWR | O_CREAT | O_TRUNC);
	if (f->fd < 0 || set_size(f->fd, FILE_BYTES))
		die("%s/%s", opt.dir, name);
	f->device = is_device(f->fd);
	f->direct = open_in_dir(name, O_RDWR | O_DIRECT);
	f->map = map_file(f->fd, name, FILE_BYTES);
	pthread_rwlock_init(&f->dirty_lock, NULL);
	pthread_mutex_init(&f->size_lock, NULL);
	for (i = 0; i < SLOTS; i++)
		pthread_mutex_init(&f->slot_lock[i], NULL);
	atomic_store(&f->size, SLOTS);
}

static void report_ops(void)
{
	char did[512] = "", not[512] = "";
	unsigned long bus = 0, busy = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		int err = atomic_load(&ops[i].unsupported);

		if (err)
			sprintf(not + strlen(not), " %s (%s)", ops[i].name, strerror(err));
		else
			sprintf(did + strlen(did), " %s %lu", ops[i].name,
				atomic_load(&ops[i].done));
	}
	for (i = 0; i < opt.threads; i++) {
		bus += threads[i].sigbus;
		busy += threads[i].busy;
	}
	ksft_print_msg("done:%s; SIGBUS %lu, EBUSY %lu\n", did, bus, busy);
	if (*not)
		ksft_print_msg("not supported here:%s\n", not);
}

/* After the threads have exited, records what the next mount has to show. */
static void record(FILE *s, struct file *f)
{
	size_t w, first, n, size = (size_t)atomic_load(&f->size) * SLOT_BYTES;
	static __u64 content[BUF_BYTES / 8];
	off_t end = lseek(f->fd, 0, SEEK_END);
	char name[32];

	/* One file acknowledged, the others left to umount. */
	if (f->id == 0 && fsync(f->fd))
		fail("fsync: %s", strerror(errno));
	snprintf(name, sizeof(name), "file.%u", f->id);
	if (end < 0)
		die("%s", name);
	if (f->wild)
		size = end;
	if (end != (off_t)size)
		fail("%s: size %jd, expected %zu", name, (intmax_t)end, size);
	state_file(s, name, f->id, size, 0);
	for (first = 0; first < size / 8; first += n) {
		n = size / 8 - first;
		if (n > BUF_BYTES / 8)
			n = BUF_BYTES / 8;
		if (!read_all(f->fd, content, n * 8, (off_t)first * 8))
			fail("%s: read: %s", name, strerror(errno));
		check("in the end", f, content, first, n);
		for (w = 0; w < n; w++)
			/* A page that is mapped but cut off from the file would show here. */
			if (f->map[first + w] != content[w])
				mismatch("mapping and file differ", f->id, first + w, content[w],
					 f->map[first + w]);
		state_words(s, content, n);
	}
}

void run_mix(void)
{
	unsigned int i, left = opt.seconds * 10;
	pid_t freezer = 0;
	FILE *s;

	if (opt.alone)
		nfiles = KEPT;
	freeze = mmap(NULL, sizeof(*freeze), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (freeze == MAP_FAILED)
		die("memory");
	for (i = 0; i < nfiles; i++)
		file_init(&files[i], i);
	if (opt.freeze) {
		freezer = fork();
		if (!freezer)
			freeze_loop();
	}
	start_threads(mix_thread);
	while (left-- && !atomic_load(&stop) && !atomic_load(&freeze->error))
		usleep(100000);
	atomic_store(&freeze->stop, true);
	if (freezer > 0)
		waitpid(freezer, NULL, 0);
	atomic_store(&stop, true);
	join_threads();

	if (opt.freeze) {
		int err = atomic_load(&freeze->error);

		if (err == EOPNOTSUPP || err == ENOTTY) {
			ksft_print_msg("this filesystem cannot be frozen\n");
			exit(KSFT_SKIP);
		}
		if (err)
			fail("freeze: %s", strerror(err));
		ksft_print_msg("frozen %u times\n", atomic_load(&freeze->epoch) / 2);
		if (!atomic_load(&freeze->epoch))
			fail("not frozen once");
	}
	s = state_create(nfiles);
	for (i = 0; i < nfiles; i++)
		record(s, &files[i]);
	state_close(s);
	report_ops();
	if (!failed && !atomic_load(&ops[0].done))
		fail("nothing was stored");
}
