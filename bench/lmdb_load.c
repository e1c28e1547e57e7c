// SPDX-License-Identifier: GPL-2.0
/*
 * lmdb_load - bulk load of an LMDB database that writes through its mapping
 *
 *	lmdb_load write FILE RECORDS	make FILE anew, msync after every 1000 records
 *	lmdb_load check FILE RECORDS	every record is there, and no other
 *
 * lmdb-utils' mdb_load writes with pwrite(2): it has no option for MDB_WRITEMAP.
 */
#include <err.h>
#include <errno.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRANSACTION	1000
#define VALUE_SIZE	100

struct record {
	char key[9];
	char value[VALUE_SIZE];
};

/* Keys in no order: each transaction touches pages all over the file. */
static void make_record(struct record *r, uint32_t nr)
{
	uint32_t x = nr * 2654435761u;

	snprintf(r->key, sizeof(r->key), "%08x", x);
	for (unsigned int i = 0; i < VALUE_SIZE; i++) {
		x = x * 1664525 + 1013904223;
		r->value[i] = x >> 24;
	}
}

static void must(int error, const char *what)
{
	if (error)
		errx(1, "%s: %s", what, mdb_strerror(error));
}

static MDB_val bytes(void *data, size_t size)
{
	return (MDB_val){ .mv_data = data, .mv_size = size };
}

static void write_records(MDB_env *env, uint32_t records)
{
	for (uint32_t nr = 0; nr < records; ) {
		MDB_txn *txn;
		MDB_dbi dbi;

		must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
		must(mdb_dbi_open(txn, NULL, 0, &dbi), "open the database");
		do {
			struct record r;
			MDB_val key, value;

			make_record(&r, nr++);
			key = bytes(r.key, sizeof(r.key));
			value = bytes(r.value, sizeof(r.value));
			must(mdb_put(txn, dbi, &key, &value, MDB_NOOVERWRITE), "put");
		} while (nr < records && nr % TRANSACTION);
		must(mdb_txn_commit(txn), "commit");
	}
}

static void check_records(MDB_env *env, uint32_t records)
{
	MDB_txn *txn;
	MDB_stat stat;
	MDB_dbi dbi;

	must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), "begin");
	must(mdb_dbi_open(txn, NULL, 0, &dbi), "open the database");
	must(mdb_stat(txn, dbi, &stat), "stat");
	if (stat.ms_entries != records)
		errx(1, "%zu records, not %u", stat.ms_entries, records);
	for (uint32_t nr = 0; nr < records; nr++) {
		struct record r;
		MDB_val key, value;

		make_record(&r, nr);
		key = bytes(r.key, sizeof(r.key));
		must(mdb_get(txn, dbi, &key, &value), r.key);
		if (value.mv_size != sizeof(r.value) ||
		    memcmp(value.mv_data, r.value, sizeof(r.value)))
			errx(1, "%s: another value than written", r.key);
	}
	mdb_txn_abort(txn);
}

int main(int argc, char **argv)
{
	unsigned long records = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	unsigned int flags = MDB_NOSUBDIR;
	bool checking;
	MDB_env *env;

	if (!records || records > 1 << 24)
		errx(2, "usage: lmdb_load write|check FILE RECORDS");
	checking = !strcmp(argv[1], "check");
	flags |= checking ? MDB_RDONLY : MDB_WRITEMAP;
	if (!checking && unlink(argv[2]) && errno != ENOENT)
		err(1, "%s", argv[2]);
	must(mdb_env_create(&env), "create");
	must(mdb_env_set_mapsize(env, records * 1024), "size of the mapping");
	must(mdb_env_open(env, argv[2], flags, 0600), argv[2]);
	(checking ? check_records : write_records)(env, records);
	mdb_env_close(env);
	return 0;
}
