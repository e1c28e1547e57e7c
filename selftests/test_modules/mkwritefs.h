/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * mkwritefs: a filesystem that judges how the VM and a ->page_mkwrite handler
 * work together. This is what the module and the test programs share.
 */
#ifndef MKWRITEFS_H
#define MKWRITEFS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* What must never happen; indices of mkw_counts.violations. */
enum mkw_violation {
	MKW_I1_NO_TICKET,	/* a folio was marked dirty and had no ticket */
	MKW_I2_CLEAN_CHANGED,	/* content changed where nothing was prepared */
	MKW_I3_BALANCE,		/* tickets and dirty folios do not balance */
	MKW_I4_BEYOND_EOF,	/* a page at or beyond i_size was writable */
	MKW_I5_FROZEN_DIRTY,	/* a folio was dirtied on a frozen filesystem */
	MKW_I6_UNLOCKED_DIRTY,	/* a fault dirtied a folio and did not hold its lock */
	MKW_I7_NO_TABLE,	/* a page table may have to be allocated under the folio lock */
	MKW_I8_LOCK_LOST,	/* nobody let go of the folio lock; see MKW_LIMITED */
	MKW_VIOLATIONS,
};

/* struct mkw_setup.flags */
/* vm_ops without ->page_mkwrite: there are no tickets, I1 to I3 are not judged */
#define MKW_NO_MKWRITE		0x01
#define MKW_OWN_FAULT		0x02	/* ->fault is mkwritefs' own, not filemap_fault */
#define MKW_UNLOCKED_FAULT	0x04	/* ->fault returns the folio unlocked, no ->map_pages */
#define MKW_DRIVER		0x08	/* the same with pages that belong to no page cache */
#define MKW_STABLE		0x10	/* a folio under writeback must not change */
#define MKW_MAJOR		0x20	/* with MKW_OWN_FAULT: it says VM_FAULT_MAJOR */
#define MKW_INODE_LOCK		0x40	/*
					 * read() copies under the inode's lock, and
					 * ->page_mkwrite takes invalidate_lock
					 */

/**
 * struct mkw_setup - properties of an empty file, before it is mapped
 * @order: the folios that a read() brings into the page cache have this order,
 *	   as long as nothing else is cached there
 * @flags: MKW_NO_MKWRITE and the following
 */
struct mkw_setup {
	__u32 order;
	__u32 flags;
};

/* struct mkw_mode.ret: what ->page_mkwrite returns. */
enum mkw_ret {
	MKW_LOCKED,	/* prepared, VM_FAULT_LOCKED */
	MKW_UNLOCKED,	/* prepared, folio unlocked, 0 */
	MKW_RETRY,	/* nothing prepared, VM_FAULT_RETRY */
	MKW_RETRY_LOCKED, /* prepared, VM_FAULT_RETRY | VM_FAULT_LOCKED */
	MKW_RETRY_ERROR, /* the same with VM_FAULT_SIGBUS */
	MKW_NOPAGE,	/* nothing prepared, VM_FAULT_NOPAGE */
	MKW_SIGBUS,	/* nothing prepared, VM_FAULT_SIGBUS */
	MKW_OOM,	/* nothing prepared, VM_FAULT_OOM */
	MKW_SIGBUS_LOCKED, /* prepared, VM_FAULT_SIGBUS | VM_FAULT_LOCKED */
	MKW_NOPAGE_LOCKED, /* prepared, VM_FAULT_NOPAGE | VM_FAULT_LOCKED */
	MKW_RETS,
};

/* struct mkw_mode.adversary: what somebody else does meanwhile. */
enum mkw_adversary {
	MKW_NOBODY,
	MKW_CLEAN,	/* writes the folio back, which releases its ticket */
	MKW_TRUNCATE,	/* truncates the file to the start of the folio */
	MKW_REFILL,	/* does that and extends it again, reading the folio anew */
	MKW_INVALIDATE,	/* writes back and drops the folio, as direct I/O does */
	MKW_FREEZE,	/* freezes the filesystem */
	MKW_CUT,	/* truncates the file behind the first page of the folio */
	MKW_SHRINK,	/* sets i_size to the start of the folio and leaves it mapped, as a server's news do */
	MKW_STALE,	/* takes the uptodate bit away, as a failed write does */
	MKW_GROW,	/* makes the file mkw_mode.pages long and leaves its folios alone */
	MKW_RIVAL,	/* another thread's write to the page comes first; AT_ENTRY only */
	MKW_ADVERSARIES,
};

/* struct mkw_mode.when: at which point of ->page_mkwrite. */
enum mkw_when {
	MKW_AT_ENTRY,	/* before the handler takes the folio lock; runs to its end */
	MKW_AT_PREPARED, /* with the folio lock and the ticket; MKW_GROW only */
	MKW_AT_RETURN,	/* after all of the handler's work; runs to its end */
	MKW_AT_UNLOCK,	/*
			 * Queued on what the handler holds (the folio lock, for
			 * MKW_FREEZE freeze protection), so that it runs
			 * the moment that is let go of, by whomever. The folio
			 * lock is handed over with vm.page_lock_unfairness=0.
			 */
	MKW_WHENS,
};

/* struct mkw_mode.flags */
#define MKW_WHOLE_FOLIO		0x01	/* prepare the whole folio and say so */
#define MKW_LEAVE_CLEAN		0x02	/* the handler does not mark the folio dirty */
#define MKW_BACKGROUND		0x04	/* allow writeback that nobody waits for */
#define MKW_SWAPFILE		0x08	/* the inode says S_SWAPFILE */
#define MKW_HALF_FOLIO		0x10	/* prepare the first half of the folio and say so */
#define MKW_LIMITED		0x20	/*
					 * A folio lock that is not to be had in 5 s
					 * is counted (I8) and broken: a test of who
					 * forgets it must end.
					 */
#define MKW_NO_SPACE		0x40	/* for what was dirtied through a pin, when it is written */

/**
 * struct mkw_mode - how ->page_mkwrite of this file behaves from now on
 * @times: so many calls play @ret and @adversary, all after them
 *	   MKW_LOCKED and MKW_NOBODY; @flags hold for all of them
 * @ret: enum mkw_ret
 * @adversary: enum mkw_adversary
 * @when: enum mkw_when
 * @flags: MKW_WHOLE_FOLIO and the following
 * @pages: for MKW_GROW
 */
struct mkw_mode {
	__u32 times;
	__u32 ret;
	__u32 adversary;
	__u32 when;
	__u32 flags;
	__u32 pages;
};

/**
 * struct mkw_counts - what was counted
 * @page_mkwrite: calls of this file's ->page_mkwrite
 * @fault: calls of this file's ->fault, with MKW_OWN_FAULT only
 * @reads: folios of this file that were read
 * @tickets: tickets outstanding, all files
 * @frozen: 1 if the filesystem is frozen
 * @flags_lost: returns of do_page_mkwrite() for this file that left vmf->flags
 *		changed, and calls of ->page_mkwrite with others than FAULT_FLAG_WRITE
 *		and FAULT_FLAG_MKWRITE; ~0 if the former cannot be observed on this kernel
 * @filemap_fault: calls of filemap_fault() for this file; likewise
 * @unlocked: of these, those that returned a page and not its lock
 * @unlocks: how often the VM unlocked a folio between ->fault and ->page_mkwrite,
 *	     all files with MKW_OWN_FAULT; likewise
 * @throttled: calls of balance_dirty_pages_ratelimited() for this file; likewise
 * @mmap_miss: of the readahead state of this open file
 * @violations: what must never happen, all files since the last mount
 */
struct mkw_counts {
	__u64 page_mkwrite;
	__u64 fault;
	__u64 reads;
	__u64 tickets;
	__u64 frozen;
	__u64 flags_lost;
	__u64 filemap_fault;
	__u64 unlocked;
	__u64 unlocks;
	__u64 throttled;
	__u64 mmap_miss;
	__u64 violations[MKW_VIOLATIONS];
};

/**
 * struct mkw_collide - what a thread did that ran into a held folio lock
 * @addr: in: an address of the page in the caller's memory
 * @entered: out: it got as far as ->page_mkwrite; otherwise it waits for the
 *	     folio lock elsewhere
 * @writable: out: the page is writable at @addr
 */
struct mkw_collide {
	__u64 addr;
	__u32 entered;
	__u32 writable;
};

/**
 * struct mkw_look - the state of the caller's page table
 * @addr: in: first address
 * @index: in: index of the page of the file that belongs there
 * @nr: in: number of pages
 * @present: out: so many of them can be read without a fault
 * @writable: out: so many can be written without a fault
 * @beyond: out: so many of @present are at or beyond i_size
 */
struct mkw_look {
	__u64 addr;
	__u64 index;
	__u32 nr;
	__u32 present;
	__u32 writable;
	__u32 beyond;
};

/* For MKW_IOC_MARK: what the folio at index 0 is made to be. */
enum mkw_mark {
	MKW_READAHEAD,		/* where the next readahead is to begin */
	MKW_NOT_UPTODATE,	/* not read yet */
	MKW_MISSES,		/* one that faults have often missed */
	MKW_POISON,		/* bad memory in its page MKW_POISONED */
	MKW_CURE,		/* no longer */
};
#define MKW_POISONED	5

#define MKW_IOC_SETUP	_IOW('m', 0, struct mkw_setup)
#define MKW_IOC_MODE	_IOW('m', 1, struct mkw_mode)
#define MKW_IOC_COUNTS	_IOR('m', 2, struct mkw_counts)
/* Compares the file's folios with its tickets and checksums, now. */
#define MKW_IOC_CHECK	_IO('m', 3)
/* Takes the lock of the folio at this index; let go of after 20 s at the latest. */
#define MKW_IOC_HOLD	_IOW('m', 4, __u64)
/* Waits until another thread has run into what MKW_IOC_HOLD holds. */
#define MKW_IOC_COLLIDE	_IOWR('m', 5, struct mkw_collide)
#define MKW_IOC_RELEASE	_IO('m', 6)
#define MKW_IOC_LOOK	_IOWR('m', 7, struct mkw_look)
/* Pins the page at this address for writing, as direct I/O does. */
#define MKW_IOC_PIN	_IOW('m', 8, __u64)
/* Writes to the pinned page, marks it dirty and unpins it. */
#define MKW_IOC_UNPIN	_IO('m', 9)
/* Breaks this invariant (enum mkw_violation) for the folio at index 0. */
#define MKW_IOC_BREAK	_IOW('m', 10, __u32)

#define MKW_IOC_MARK	_IOW('m', 11, __u32)
/* Starts writeback of the folio at this index; ended as MKW_IOC_HOLD is. */
#define MKW_IOC_WRITEBACK _IOW('m', 12, __u64)
/* Makes the file so many pages long and leaves all that is cached or mapped. */
#define MKW_IOC_SIZE	_IOW('m', 13, __u64)
/* Takes the lock of the folio at this index and forgets it. */
#define MKW_IOC_LOSE	_IOW('m', 14, __u64)

#endif /* MKWRITEFS_H */
