// SPDX-License-Identifier: GPL-2.0
/*
 * Look at the folio when a filesystem's ->page_mkwrite returns it locked.
 *
 *	insmod mkwprobe.ko func=ext4_page_mkwrite
 *
 * The counters are module parameters to be read. What is counted here is a
 * matter of a few instructions otherwise: whether the folio is dirty before
 * sb_end_pagefault(), whether writeback that needs stable contents has ended.
 * With a delay, something else can happen before the VM goes on. slow= does the
 * same before a function of the filesystem.
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>

static char *func;
module_param(func, charp, 0444);
MODULE_PARM_DESC(func, "the handler");

static ulong locked;
module_param(locked, ulong, 0444);
MODULE_PARM_DESC(locked, "it returned VM_FAULT_LOCKED so many times");

static ulong clean;
module_param(clean, ulong, 0444);
MODULE_PARM_DESC(clean, "... and the folio was not dirty");

static ulong writeback;
module_param(writeback, ulong, 0444);
MODULE_PARM_DESC(writeback, "... and the folio was under writeback");

static ulong unstable;
module_param(unstable, ulong, 0444);
MODULE_PARM_DESC(unstable, "... which needs stable contents");

static uint delay;
module_param(delay, uint, 0644);
MODULE_PARM_DESC(delay, "then wait so many milliseconds, not preemptible");

static char *slow;
module_param(slow, charp, 0444);
MODULE_PARM_DESC(slow, "this function and the handler begin some milliseconds late");

static int mkw_slow(struct kprobe *kp, struct pt_regs *regs)
{
	mdelay(2);
	return 0;
}

static struct kprobe slow_probe = {
	.pre_handler = mkw_slow,
};

static int mkw_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	/* Not in step with the other one. */
	if (slow)
		mdelay(3);
	*(struct vm_fault **)ri->data =
		(struct vm_fault *)regs_get_kernel_argument(regs, 0);
	return 0;
}

static int mkw_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct vm_fault *vmf = *(struct vm_fault **)ri->data;
	struct folio *folio;

	if (!(regs_return_value(regs) & VM_FAULT_LOCKED))
		return 0;
	folio = page_folio(vmf->page);
	locked++;
	if (!folio_test_dirty(folio))
		clean++;
	/* The lock keeps writeback from beginning. */
	if (folio_test_writeback(folio)) {
		writeback++;
		if (mapping_stable_writes(folio->mapping))
			unstable++;
	}
	mdelay(READ_ONCE(delay));
	return 0;
}

static struct kretprobe probe = {
	.entry_handler = mkw_entry,
	.handler = mkw_return,
	.data_size = sizeof(struct vm_fault *),
	.maxactive = 64,
};

static int __init mkwprobe_init(void)
{
	int ret;

	probe.kp.symbol_name = func;
	ret = register_kretprobe(&probe);
	if (ret || !slow)
		return ret;
	slow_probe.symbol_name = slow;
	ret = register_kprobe(&slow_probe);
	if (ret)
		unregister_kretprobe(&probe);
	return ret;
}
module_init(mkwprobe_init);

static void __exit mkwprobe_exit(void)
{
	if (slow)
		unregister_kprobe(&slow_probe);
	unregister_kretprobe(&probe);
}
module_exit(mkwprobe_exit);

MODULE_DESCRIPTION("Looks at what ->page_mkwrite returns");
MODULE_LICENSE("GPL");
