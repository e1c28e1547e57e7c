/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What only this port's mkwritefs has: an ioctl that calls another filesystem's
 * ->page_mkwrite, so that a test sees what that returns, and a return value.
 */
#ifndef CALL_H
#define CALL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* struct mkw_call.result */
enum mkw_result {
	MKW_CALL_NONE,		/* the mapping has no ->page_mkwrite */
	MKW_CALL_LOCKED,	/* VM_FAULT_LOCKED, and the page is locked */
	MKW_CALL_UNLOCKED,	/* 0 */
	MKW_CALL_OTHER,		/* VM_FAULT_NOPAGE or an error */
};

/**
 * struct mkw_call - call ->page_mkwrite for a page that is in the cache
 * @addr: in: an address in a shared mapping of the caller
 * @result: out: enum mkw_result
 */
struct mkw_call {
	__u64 addr;
	__u32 result;
	__u32 pad;
};

#define MKW_IOC_CALL	_IOWR('m', 32, struct mkw_call)

/*
 * For struct mkw_mode.ret: nothing prepared, VM_FAULT_SIGBUS | VM_FAULT_LOCKED.
 * The page stays locked by the file, as by MKW_IOC_HOLD, so that the test finds
 * out whether the VM went by the wrong one of the two.
 */
#define MKW_SIGBUS_LOCKED	MKW_RETS

#endif /* CALL_H */
