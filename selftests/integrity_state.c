// SPDX-License-Identifier: GPL-2.0
/* What the run left, recorded and compared after the next mount. */
#include "fs_integrity.h"

/*
 * The state file: one header, then for each file a record and its words. It
 * must lie on another filesystem.
 */
struct state_header {
	char magic[8];
	__u64 seed;
	__u64 files;
};

struct state_file {
	char name[32];
	__u64 id;
	__u64 size;
	/* Not acknowledged: newer generations up to this one are right, too. */
	__u64 max_gen;
};

static const char magic[8] = "mkwrite2";

FILE *state_create(unsigned int nfiles)
{
	struct state_header h = { .seed = opt.seed, .files = nfiles };
	FILE *s = fopen(opt.state, "w");

	memcpy(h.magic, magic, sizeof(magic));
	if (!s || fwrite(&h, sizeof(h), 1, s) != 1)
		die("%s", opt.state);
	return s;
}

void state_file(FILE *s, const char *name, unsigned int id, size_t size, unsigned int max_gen)
{
	struct state_file r = { .id = id, .size = size, .max_gen = max_gen };

	snprintf(r.name, sizeof(r.name), "%s", name);
	if (fwrite(&r, sizeof(r), 1, s) != 1)
		die("%s", opt.state);
}

void state_words(FILE *s, const __u64 *content, size_t words)
{
	if (fwrite(content, sizeof(*content), words, s) != words)
		die("%s", opt.state);
}

void state_close(FILE *s)
{
	if (fclose(s))
		die("%s", opt.state);
}

/* All that the scenario leaves: one file, acknowledged. */
void state_one(const char *name, unsigned int id, const __u64 *content, size_t size)
{
	FILE *s = state_create(1);

	state_file(s, name, id, size, 0);
	state_words(s, content, size / 8);
	state_close(s);
}

/* Change one byte of @fd, to see that it is noticed. */
static void inject(int fd, size_t size)
{
	off_t at = (off_t)(mix(opt.seed) % size);
	unsigned char c;

	if (!read_all(fd, &c, 1, at))
		die("read");
	c ^= 1;
	if (pwrite(fd, &c, 1, at) != 1 || fsync(fd))
		die("the injected error could not be written");
}

/* -v: compare every byte with the recorded state. */
static void verify_file(const struct state_file *r, const __u64 *want)
{
	int fd = open_in_dir(r->name, opt.inject ? O_RDWR : O_RDONLY);
	__u64 *found = calloc(1, r->size + 8);
	off_t size = lseek(fd, 0, SEEK_END);
	size_t w;

	if (size < 0 || !found) {
		fail("%s: %s", r->name, strerror(errno));
		goto out;
	}
	if ((__u64)size != r->size) {
		fail("%s: size %jd, expected %llu", r->name, (intmax_t)size, r->size);
		goto out;
	}
	if (opt.inject && r->size) {
		inject(fd, r->size);
		opt.inject = false;
	}
	if (!read_all(fd, found, r->size, 0)) {
		fail("%s: read: %s", r->name, strerror(errno));
		goto out;
	}
	for (w = 0; w < r->size / 8; w++) {
		__s64 g = gen_of(r->id, w, found[w]);

		if (found[w] == want[w] || (r->max_gen && g > gen_of(r->id, w, want[w]) &&
					    g <= (__s64)r->max_gen))
			continue;
		mismatch("after the mount", r->id, w, want[w], found[w]);
		break;
	}
out:
	free(found);
	if (fd >= 0)
		close(fd);
}

void run_verify(void)
{
	FILE *s = fopen(opt.state, "r");
	struct state_header h;
	struct state_file r;
	__u64 bytes = 0;
	__u64 i;

	if (!s || fread(&h, sizeof(h), 1, s) != 1 || memcmp(h.magic, magic, sizeof(magic)))
		die("%s: no recorded state", opt.state);
	opt.seed = h.seed;
	for (i = 0; i < h.files; i++) {
		__u64 *want;

		if (fread(&r, sizeof(r), 1, s) != 1)
			die("%s: cut short", opt.state);
		want = calloc(r.size / 8 + 1, sizeof(*want));
		if (!want || fread(want, sizeof(*want), r.size / 8, s) != r.size / 8)
			die("%s: cut short", opt.state);
		verify_file(&r, want);
		bytes += r.size;
		free(want);
	}
	fclose(s);
	ksft_print_msg("verify: seed %llu, %llu files, %llu bytes: %s\n", h.seed, h.files,
		       bytes, atomic_load(&failed) ? "they differ" : "as recorded");
}
