// SPDX-License-Identifier: GPL-2.0
/*
 * faultmap - QEMU plugin: guest instructions by kernel function, exact
 *
 *	-plugin faultmap.so,map=System.map,out=FILE
 *
 * Counts between the two marks that mkwrite_bench puts around what it measures.
 * For each such interval FILE gets a line "interval N" and then one line
 *
 *	INSTRUCTIONS CALLS FUNCTION
 *
 * for each function that ran; "(user)" is everything below the kernel. CALLS
 * counts how often the function's first instruction ran. On arm64 the calls of
 * "(tlbi)" are the instructions that invalidate TLB entries on this CPU, those
 * of "(tlbi-all-CPUs)" on all of them. One vCPU, no KASLR, no modules.
 *
 * Sampling (perf, gdb) would give shares of an unknown whole; -d exec writes
 * one line for each block, gigabytes of them, and does not count a block that a
 * fault interrupts right. Here the sum over the functions is the number of
 * instructions that -icount clocks.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The part of QEMU's plugin interface that is used here, version 1 (QEMU 6.0 to
 * 8.2). Debian's QEMU can load plugins, but no package has the header.
 */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_cb_t)(unsigned int vcpu, void *arg);
enum { QEMU_PLUGIN_INLINE_ADD_U64 = 0, QEMU_PLUGIN_CB_NO_REGS = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb_t cb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op,
						void *counter, uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb_t cb,
					    int flags, void *arg);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

/* mkwrite_bench's marks: nopl DISP32(%rax) with these displacements, on arm64 movz xzr, #IMM16. */
struct mark {
	unsigned char x86[7];
	uint32_t arm64;
};

static const struct mark mark_begin = { { 0x0f, 0x1f, 0x80, 0x01, 0x77, 0x6b, 0x6d }, 0xd28ee03f };
static const struct mark mark_end = { { 0x0f, 0x1f, 0x80, 0x02, 0x77, 0x6b, 0x6d }, 0xd28ee05f };

struct function {
	uint64_t start;
	uint64_t insns;
	uint64_t calls;
	char *name;
};

static struct function *function;	/* [0] is user space, then by address */
static struct function tlbi[] = { { .name = "(tlbi)" }, { .name = "(tlbi-all-CPUs)" } };
static size_t nr_functions;
static unsigned int interval;
static bool arm64;
static FILE *out;

static void begin(unsigned int vcpu, void *arg)
{
	(void)vcpu;
	(void)arg;
	for (size_t i = 0; i < nr_functions; i++)
		function[i].insns = function[i].calls = 0;
	tlbi[0].calls = tlbi[1].calls = 0;
}

static void end(unsigned int vcpu, void *arg)
{
	(void)vcpu;
	(void)arg;
	fprintf(out, "interval %u\n", interval++);
	for (size_t i = 0; i < nr_functions; i++)
		if (function[i].insns)
			fprintf(out, "%" PRIu64 " %" PRIu64 " %s\n", function[i].insns,
				function[i].calls, function[i].name);
	for (size_t i = 0; i < 2; i++)
		if (tlbi[i].calls)
			fprintf(out, "0 %" PRIu64 " %s\n", tlbi[i].calls, tlbi[i].name);
	fflush(out);
}

/* The last function that starts at or before @addr. */
static struct function *find(uint64_t addr)
{
	size_t low = 0, high = nr_functions;

	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (function[mid].start <= addr)
			low = mid;
		else
			high = mid;
	}
	return &function[low];
}

static bool is_mark(const struct qemu_plugin_insn *insn, const struct mark *mark)
{
	size_t size = qemu_plugin_insn_size(insn);
	const void *data = qemu_plugin_insn_data(insn);

	if (arm64)
		return !memcmp(data, &mark->arm64, sizeof(mark->arm64));
	return size == sizeof(mark->x86) && !memcmp(data, mark->x86, size);
}

/*
 * An alias of SYS with CRn 8, or 9 with the nXS qualifier. CRm 6 (ranges) and 7
 * are for this CPU, 1 to 5 for all of a domain.
 */
static struct function *is_tlbi(const struct qemu_plugin_insn *insn)
{
	uint32_t code;

	if (!arm64)
		return NULL;
	memcpy(&code, qemu_plugin_insn_data(insn), sizeof(code));
	if ((code & 0xfff8e000) != 0xd5088000)
		return NULL;
	return &tlbi[(code & 0x600) != 0x600];
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t addr = qemu_plugin_insn_vaddr(insn);
		struct function *f = find(addr), *t = is_tlbi(insn);

		if (is_mark(insn, &mark_begin))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, QEMU_PLUGIN_CB_NO_REGS, NULL);
		else if (is_mark(insn, &mark_end))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &f->insns, 1);
		if (t)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &t->calls, 1);
		if (addr == f->start)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &f->calls, 1);
	}
}

/* Section borders have names too; a function at the same address is meant. */
static bool is_border(const char *name)
{
	const char *tail = strstr(name, "_text_");

	return tail && (!strcmp(tail, "_text_start") || !strcmp(tail, "_text_end"));
}

/* System.map is sorted by address; of several names for one the first is kept. */
static bool read_map(const char *path)
{
	char line[512], name[256], type;
	FILE *f = fopen(path, "r");
	uint64_t addr;
	size_t room = 1 << 20;

	if (!f)
		return false;
	function = calloc(room, sizeof(*function));
	if (!function)
		return false;
	function[nr_functions++].name = "(user)";
	while (fgets(line, sizeof(line), f) && nr_functions < room) {
		if (sscanf(line, "%" SCNx64 " %c %255s", &addr, &type, name) != 3 ||
		    !strchr("tTwW", type) || is_border(name) || addr <= function[nr_functions - 1].start)
			continue;
		function[nr_functions].start = addr;
		function[nr_functions++].name = strdup(name);
	}
	fclose(f);
	return nr_functions > 1;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	/* The first member of the structure. */
	arm64 = !strcmp(*(const char * const *)info, "aarch64");
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "map=", 4) && !read_map(argv[i] + 4)) {
			fprintf(stderr, "faultmap: no functions in %s\n", argv[i] + 4);
			return -1;
		}
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	}
	if (!function || !out) {
		fprintf(stderr, "faultmap: map= and out= are needed\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
