// SPDX-License-Identifier: GPL-2.0
/*
 * mkwritefs: a page-cache filesystem that judges the ->page_mkwrite protocol.
 *
 * A filesystem attaches in ->page_mkwrite what it has to keep as long as the
 * folio is dirty. Here this is a ticket: a flag in the record that every folio
 * in the cache carries in ->private, together with a checksum of each of its
 * pages. Writeback takes the ticket away. So the filesystem sees when a
 * folio is dirtied that nothing was prepared for, and when somebody wrote
 * through a PTE that should have been write-protected; see enum mkw_violation.
 *
 * The handler plays, file by file, what handlers do, right and wrong (struct
 * mkw_mode). An adversary, which is a work item and so a context of its own,
 * cleans, truncates, invalidates or freezes at the point that hurts
 * most. Whoever has to wait here waits for a state, never for an interval.
 *
 * What is written back lies in an xarray of pages; the filesystem is gone with
 * its mount. The counts are the module's: mount one instance at a time.
 *
 * Locking: a record changes under the folio lock; ->dirty_folio may come
 * without it (the unmapping of a dirty PTE), hence RCU for its end.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/backing-dev.h>
#include <linux/delay.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/highmem.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include <linux/writeback.h>
#include <linux/xarray.h>

#include "mkw_compat.h"
#include "mkwritefs.h"

#define MKW_MAGIC	0x6d6b7721
#define MKW_MAX_ORDER	9
#define MKW_MAX_PAGES	(1U << MKW_MAX_ORDER)
/* A wait of the module's own that takes longer is given up. */
#define MKW_WAIT	(15 * HZ)
#define MKW_HOLD	(20 * HZ)
#define MKW_LIMIT	(5 * HZ)

struct mkw_record {
	struct rcu_head rcu;
	bool ticket;
	bool stray;		/* dirtied without a ticket: checksums mean nothing */
	bool pinned;		/* dirtied through a pin: writeback has to prepare it */
	DECLARE_BITMAP(prepared, MKW_MAX_PAGES);	/* with a ticket only */
	u32 sum[];
};

struct mkw_file {
	struct inode *inode;
	struct xarray store;	/* page index to written page, absent: zeroes */
	struct mutex lock;	/* against ioctls */
	struct mkw_setup setup;
	struct mkw_mode mode;
	atomic_t left;		/* calls that still play mode */
	atomic64_t page_mkwrite;
	atomic64_t fault;
	atomic64_t reads;
	atomic64_t flags_lost;
	atomic64_t filemap_fault;
	atomic64_t unlocked;
	atomic64_t throttled;

	/* Who is to dirty which folio next, under its lock; see I6. */
	struct task_struct *dirtier;
	struct folio *dirties;

	struct folio *held;	/* by MKW_IOC_HOLD */
	struct folio *written;	/* by MKW_IOC_WRITEBACK */
	u64 held_since;		/* page_mkwrite then */
	struct delayed_work unhold;
	struct page *pinned;	/* by MKW_IOC_PIN */
	struct task_struct *unpinner;	/* in MKW_IOC_UNPIN */
};

struct mkw_job {
	struct work_struct work;
	struct completion done;
	struct mkw_file *file;
	struct folio *folio;
	enum mkw_adversary kind;
	loff_t size;		/* MKW_GROW */
	bool queued;		/* MKW_AT_UNLOCK: nobody waits for done */
};

static struct workqueue_struct *mkw_wq;
static DEFINE_SPINLOCK(mkw_lock);
static unsigned long mkw_violations[MKW_VIOLATIONS];
static unsigned long mkw_tickets;

/* The folio that ->fault has returned and ->page_mkwrite has not seen yet. */
static struct task_struct *mkw_watcher;
static struct folio *mkw_watched;
static atomic64_t mkw_unlocks;

/* Readable after unmounting, which is when the last of them is counted. */
module_param_array_named(violations, mkw_violations, ulong, NULL, 0444);

static struct mkw_file *mkw_file(struct inode *inode)
{
	return inode->i_private;
}

static bool mkw_judged(struct mkw_file *file)
{
	return !(file->setup.flags & MKW_NO_MKWRITE);
}

static bool mkw_frozen(struct super_block *sb)
{
	return READ_ONCE(sb->s_writers.frozen) == SB_FREEZE_COMPLETE;
}

static void mkw_violated(enum mkw_violation what, struct inode *inode, u64 index)
{
	unsigned long flags;

	spin_lock_irqsave(&mkw_lock, flags);
	mkw_violations[what]++;
	spin_unlock_irqrestore(&mkw_lock, flags);
	pr_info_ratelimited("I%d: inode %llu index %llu (%s)\n", what + 1,
			    (u64)inode->i_ino, index, current->comm);
}

static void mkw_count_ticket(int change)
{
	unsigned long flags;

	spin_lock_irqsave(&mkw_lock, flags);
	mkw_tickets += change;
	spin_unlock_irqrestore(&mkw_lock, flags);
}

/* Records and tickets. All of it with the folio locked. */

static u32 mkw_sum(struct folio *folio, unsigned int nr)
{
	u32 *data = kmap_local_folio(folio, nr * PAGE_SIZE);
	u32 sum = jhash2(data, PAGE_SIZE / sizeof(*data), 0);

	kunmap_local(data);
	return sum;
}

static void mkw_sum_all(struct folio *folio, struct mkw_record *record)
{
	unsigned int nr;

	for (nr = 0; nr < folio_nr_pages(folio); nr++)
		record->sum[nr] = mkw_sum(folio, nr);
}

/* I2 for every page that nobody was allowed to write to. */
static void mkw_verify(struct folio *folio, struct mkw_record *record)
{
	struct inode *inode = folio->mapping->host;
	unsigned int nr;

	if (record->stray || record->pinned || !mkw_judged(mkw_file(inode)))
		return;
	for (nr = 0; nr < folio_nr_pages(folio); nr++) {
		if (record->ticket && test_bit(nr, record->prepared))
			continue;
		if (record->sum[nr] != mkw_sum(folio, nr))
			mkw_violated(MKW_I2_CLEAN_CHANGED, inode,
				     folio->index + nr);
	}
}

static struct mkw_record *mkw_get_record(struct folio *folio)
{
	struct mkw_record *record = folio_get_private(folio);

	if (record)
		return record;
	record = kzalloc(struct_size(record, sum, folio_nr_pages(folio)),
			 GFP_NOFS);
	if (!record)
		return NULL;
	mkw_sum_all(folio, record);
	folio_attach_private(folio, record);
	return record;
}

static void mkw_release_ticket(struct mkw_record *record)
{
	if (record->ticket)
		mkw_count_ticket(-1);
	record->ticket = false;
	record->stray = false;
	record->pinned = false;
}

static void mkw_drop_record(struct folio *folio)
{
	struct mkw_record *record = folio_detach_private(folio);

	if (!record)
		return;
	mkw_release_ticket(record);
	kfree_rcu(record, rcu);
}

static int mkw_attach_ticket(struct folio *folio, unsigned int nr,
			     unsigned int count)
{
	struct mkw_record *record = mkw_get_record(folio);

	if (!record)
		return -ENOMEM;
	if (!record->ticket) {
		if (record->stray || record->pinned)
			mkw_sum_all(folio, record);
		else
			mkw_verify(folio, record);
		bitmap_zero(record->prepared, MKW_MAX_PAGES);
		record->stray = false;
		record->ticket = true;
		mkw_count_ticket(1);
	}
	bitmap_set(record->prepared, nr, count);
	return 0;
}

/* Address space operations */

static void mkw_fill(struct folio *folio)
{
	struct mkw_file *file = mkw_file(folio->mapping->host);
	unsigned int nr;

	for (nr = 0; nr < folio_nr_pages(folio); nr++) {
		struct page *page = xa_load(&file->store, folio->index + nr);

		if (page)
			copy_highpage(folio_page(folio, nr), page);
		else
			clear_highpage(folio_page(folio, nr));
	}
	flush_dcache_folio(folio);
}

static int mkw_read_folio(struct file *unused, struct folio *folio)
{
	struct mkw_file *file = mkw_file(folio->mapping->host);
	int err = 0;

	atomic64_inc(&file->reads);
	mkw_fill(folio);
	if (mkw_get_record(folio))
		folio_mark_uptodate(folio);
	else
		err = -ENOMEM;
	folio_unlock(folio);
	return err;
}

/*
 * Only a read() makes folios of the file's order, where none is cached: a fault
 * that finds nothing makes one of order 0.
 */
static ssize_t mkw_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct address_space *mapping = inode->i_mapping;
	unsigned long pages = 1UL << mkw_file(inode)->setup.order;
	pgoff_t index = round_down(iocb->ki_pos >> PAGE_SHIFT, pages);
	loff_t end = iocb->ki_pos + iov_iter_count(to);
	struct folio *folio;
	ssize_t read;
	int err = 0;

	filemap_invalidate_lock_shared(mapping);
	while (!err && (loff_t)index << PAGE_SHIFT < min(end, i_size_read(inode))) {
		folio = __filemap_get_folio(mapping, index, FGP_LOCK | FGP_CREAT |
					    fgf_set_order(pages * PAGE_SIZE),
					    mapping_gfp_mask(mapping));
		if (IS_ERR(folio)) {
			err = PTR_ERR(folio);
			break;
		}
		if (folio_test_uptodate(folio))
			folio_unlock(folio);
		else
			err = mkw_read_folio(NULL, folio);
		index = folio_next_index(folio);
		folio_put(folio);
	}
	filemap_invalidate_unlock_shared(mapping);
	if (err || !(mkw_file(inode)->setup.flags & MKW_INODE_LOCK))
		return err ?: generic_file_read_iter(iocb, to);

	inode_lock_shared(inode);
	read = generic_file_read_iter(iocb, to);
	inode_unlock_shared(inode);
	return read;
}

/*
 * Writes a folio back that is no longer dirty and write-protected, and lets go
 * of its ticket. The folio is locked.
 */
static int mkw_store(struct folio *folio)
{
	struct inode *inode = folio->mapping->host;
	struct mkw_file *file = mkw_file(inode);
	struct mkw_record *record = mkw_get_record(folio);
	loff_t size = i_size_read(inode);
	size_t below;
	unsigned int nr;

	if (!record)
		return -ENOMEM;
	/* Here it asks for what it was not asked for before; see W9. */
	if (record->pinned && (file->mode.flags & MKW_NO_SPACE)) {
		mkw_sum_all(folio, record);
		mkw_release_ticket(record);
		return -ENOSPC;
	}
	if (folio_pos(folio) < size)
		below = min_t(loff_t, size - folio_pos(folio), folio_size(folio));
	else
		below = 0;

	/*
	 * What was written beyond the end through a mapping ends here. Judged is
	 * what was there before: if a truncation has set i_size and not yet
	 * zeroed the rest of the page, this does, prepared or not.
	 */
	mkw_verify(folio, record);
	if (below & ~PAGE_MASK)
		folio_zero_segment(folio, below, round_up(below, PAGE_SIZE));

	for (nr = 0; nr * PAGE_SIZE < below; nr++) {
		struct page *page = xa_load(&file->store, folio->index + nr);

		if (!page) {
			page = alloc_page(GFP_NOFS);
			if (!page)
				return -ENOMEM;
			if (xa_err(xa_store(&file->store, folio->index + nr,
					    page, GFP_NOFS))) {
				__free_page(page);
				return -ENOMEM;
			}
		}
		copy_highpage(page, folio_page(folio, nr));
	}
	mkw_sum_all(folio, record);
	mkw_release_ticket(record);
	return 0;
}

/*
 * Unless a file asks for it, only writeback that somebody waits for cleans its
 * folios: the flusher's clock must not decide how a test ends.
 */
static int mkw_writepages(struct address_space *mapping,
			  struct writeback_control *wbc)
{
	struct folio *folio = NULL;
	int err = 0;

	if (wbc->sync_mode == WB_SYNC_NONE &&
	    !(mkw_file(mapping->host)->mode.flags & MKW_BACKGROUND))
		return 0;

	while ((folio = writeback_iter(mapping, wbc, folio, &err))) {
		folio_start_writeback(folio);
		err = mkw_store(folio);
		if (err == -ENOSPC) {
			mapping_set_error(mapping, err);
			err = 0;
		}
		folio_unlock(folio);
		folio_end_writeback(folio);
	}
	return err;
}

/* Writes one folio back under the lock that the caller took. */
static void mkw_clean_locked(struct folio *folio)
{
	folio_wait_writeback(folio);
	if (!folio_clear_dirty_for_io(folio))
		return;
	folio_start_writeback(folio);
	if (mkw_store(folio))
		mapping_set_error(folio->mapping, -ENOMEM);
	folio_end_writeback(folio);
}

static bool mkw_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	struct inode *inode = mapping->host;
	struct mkw_file *file = mkw_file(inode);
	struct mkw_record *record;

	if (cmpxchg(&file->dirtier, current, NULL) == current &&
	    file->dirties == folio && !folio_test_locked(folio))
		mkw_violated(MKW_I6_UNLOCKED_DIRTY, inode, folio->index);

	rcu_read_lock();
	record = folio_get_private(folio);
	if (mkw_judged(file) && record && READ_ONCE(file->unpinner) == current) {
		record->pinned = true;
	} else if (mkw_judged(file) && (!record || !record->ticket)) {
		mkw_violated(MKW_I1_NO_TICKET, inode, folio->index);
		if (record)
			record->stray = true;
	}
	rcu_read_unlock();

	if (mkw_frozen(inode->i_sb))
		mkw_violated(MKW_I5_FROZEN_DIRTY, inode, folio->index);
	return filemap_dirty_folio(mapping, folio);
}

static void mkw_invalidate_folio(struct folio *folio, size_t offset, size_t len)
{
	struct mkw_record *record = folio_get_private(folio);
	unsigned int nr;

	if (!record)
		return;
	if (offset == 0 && len == folio_size(folio)) {
		/* A dirty folio may be thrown away, a clean one is judged. */
		if (!record->ticket)
			mkw_verify(folio, record);
		mkw_drop_record(folio);
		return;
	}
	/* The caller zeroed this part, also where nothing is prepared. */
	for (nr = offset / PAGE_SIZE; nr * PAGE_SIZE < offset + len; nr++)
		record->sum[nr] = mkw_sum(folio, nr);
}

static bool mkw_release_folio(struct folio *folio, gfp_t gfp)
{
	struct mkw_record *record = folio_get_private(folio);

	if (record->ticket || folio_test_dirty(folio))
		return false;
	mkw_verify(folio, record);
	mkw_drop_record(folio);
	return true;
}

static const struct address_space_operations mkw_aops = {
	.read_folio	  = mkw_read_folio,
	.writepages	  = mkw_writepages,
	.dirty_folio	  = mkw_dirty_folio,
	.invalidate_folio = mkw_invalidate_folio,
	.release_folio	  = mkw_release_folio,
};

/* I2 and I3 for every folio of a file that is in the cache. */
static void mkw_check(struct inode *inode)
{
	struct folio_batch batch;
	pgoff_t index = 0;
	unsigned int n;

	if (!mkw_judged(mkw_file(inode)))
		return;
	folio_batch_init(&batch);
	while (filemap_get_folios(inode->i_mapping, &index, ULONG_MAX, &batch)) {
		for (n = 0; n < folio_batch_count(&batch); n++) {
			struct folio *folio = batch.folios[n];
			struct mkw_record *record;

			folio_lock(folio);
			record = folio_get_private(folio);
			if (folio->mapping == inode->i_mapping && record) {
				if ((record->ticket || record->pinned) !=
				    folio_test_dirty(folio))
					mkw_violated(MKW_I3_BALANCE, inode,
						     folio->index);
				mkw_verify(folio, record);
			}
			folio_unlock(folio);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

/* Size and holes */

static void mkw_free_store(struct mkw_file *file, pgoff_t first, pgoff_t last)
{
	struct page *page;
	unsigned long index;

	xa_for_each_range(&file->store, index, page, first, last) {
		xa_erase(&file->store, index);
		__free_page(page);
	}
}

/*
 * What a mapping wrote between the old end and the end of its page must not
 * become part of the file. The store has zeroes there.
 */
static void mkw_zero_old_tail(struct inode *inode, loff_t size)
{
	size_t offset, next;
	struct folio *folio;

	if (!(size & ~PAGE_MASK))
		return;
	folio = filemap_lock_folio(inode->i_mapping, size >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return;
	offset = offset_in_folio(folio, size);
	next = round_up(offset, PAGE_SIZE);
	folio_zero_segment(folio, offset, next);
	mkw_invalidate_folio(folio, offset, next - offset);
	folio_unlock(folio);
	folio_put(folio);
}

static void mkw_set_size(struct inode *inode, loff_t size)
{
	struct mkw_file *file = mkw_file(inode);
	loff_t old = i_size_read(inode);
	struct page *page;

	if (size > old)
		mkw_zero_old_tail(inode, old);
	truncate_setsize(inode, size);
	if (size >= old)
		return;
	mkw_free_store(file, DIV_ROUND_UP(size, PAGE_SIZE), ULONG_MAX);
	page = xa_load(&file->store, size >> PAGE_SHIFT);
	if (page && (size & ~PAGE_MASK))
		memzero_page(page, size & ~PAGE_MASK,
			     PAGE_SIZE - (size & ~PAGE_MASK));
}

static int mkw_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		       struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		filemap_invalidate_lock(inode->i_mapping);
		mkw_set_size(inode, attr->ia_size);
		filemap_invalidate_unlock(inode->i_mapping);
	}
	setattr_copy(idmap, inode, attr);
	mark_inode_dirty(inode);
	return 0;
}

/* Whole folios only, which spares the zeroing of parts. */
static long mkw_fallocate(struct file *filp, int mode, loff_t pos, loff_t len)
{
	struct inode *inode = file_inode(filp);
	struct mkw_file *file = mkw_file(inode);
	unsigned long folio_size = PAGE_SIZE << file->setup.order;

	if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE) ||
	    !IS_ALIGNED(pos | len, folio_size))
		return -EOPNOTSUPP;

	inode_lock(inode);
	filemap_invalidate_lock(inode->i_mapping);
	truncate_pagecache_range(inode, pos, pos + len - 1);
	mkw_free_store(file, pos >> PAGE_SHIFT, ((pos + len) >> PAGE_SHIFT) - 1);
	filemap_invalidate_unlock(inode->i_mapping);
	inode_unlock(inode);
	return 0;
}

/* The adversary */

static void mkw_size_job(struct inode *inode, loff_t size, bool truncate)
{
	inode_lock(inode);
	filemap_invalidate_lock(inode->i_mapping);
	if (truncate)
		mkw_set_size(inode, size);
	else
		i_size_write(inode, size);
	filemap_invalidate_unlock(inode->i_mapping);
	inode_unlock(inode);
}

static void mkw_truncate_job(struct inode *inode, struct folio *folio, bool refill)
{
	struct address_space *mapping = inode->i_mapping;
	pgoff_t index = folio->index;
	loff_t old;

	inode_lock(inode);
	filemap_invalidate_lock(mapping);
	old = i_size_read(inode);
	mkw_set_size(inode, (loff_t)index << PAGE_SHIFT);
	if (refill)
		mkw_set_size(inode, old);
	filemap_invalidate_unlock(mapping);
	inode_unlock(inode);
	if (refill) {
		folio = read_mapping_folio(mapping, index, NULL);
		if (!IS_ERR(folio))
			folio_put(folio);
	}
}

static void mkw_work(struct work_struct *work)
{
	struct mkw_job *job = container_of(work, struct mkw_job, work);
	struct inode *inode = job->file->inode;
	struct address_space *mapping = inode->i_mapping;
	struct folio *folio = job->folio;

	if (job->kind == MKW_FREEZE) {
		mkw_freeze_super(inode->i_sb);
	} else if (job->queued) {
		folio_lock(folio);
		if (folio->mapping != mapping)
			;
		else if (job->kind == MKW_CLEAN)
			mkw_clean_locked(folio);
		else if (job->kind == MKW_GROW)
			i_size_write(inode, job->size);
		else
			generic_error_remove_folio(mapping, folio);
		folio_unlock(folio);
	} else if (job->kind == MKW_CLEAN) {
		folio_lock(folio);
		if (folio->mapping == mapping)
			mkw_clean_locked(folio);
		folio_unlock(folio);
	} else if (job->kind == MKW_INVALIDATE) {
		loff_t pos = folio_pos(folio);
		pgoff_t last = folio_next_index(folio) - 1;

		filemap_write_and_wait_range(mapping, pos,
					     pos + folio_size(folio) - 1);
		invalidate_inode_pages2_range(mapping, folio->index, last);
	} else if (job->kind == MKW_CUT) {
		mkw_size_job(inode, folio_pos(folio) + PAGE_SIZE, true);
	} else if (job->kind == MKW_SHRINK) {
		mkw_size_job(inode, folio_pos(folio), false);
	} else if (job->kind == MKW_STALE) {
		folio_lock(folio);
		folio_clear_uptodate(folio);
		folio_unlock(folio);
	} else {
		mkw_truncate_job(inode, folio, job->kind == MKW_REFILL);
	}

	folio_put(folio);
	if (job->queued)
		kfree(job);
	else
		complete(&job->done);
}

static bool mkw_job_waits(struct mkw_job *job, struct super_block *sb)
{
	if (job->kind == MKW_FREEZE)
		return READ_ONCE(sb->s_writers.frozen) >= SB_FREEZE_PAGEFAULT;
	return folio_test_waiters(job->folio);
}

/* Until another call has come, and whoever made it has mapped the folio. */
static void mkw_wait_for_rival(struct mkw_file *file, struct folio *folio)
{
	u64 calls = atomic64_read(&file->page_mkwrite);
	unsigned long end = jiffies + MKW_WAIT;

	while ((atomic64_read(&file->page_mkwrite) == calls ||
		!folio_mapped(folio) || folio_test_locked(folio)) &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
}

/*
 * Lets the adversary run: to its end, or with MKW_AT_UNLOCK until it waits
 * for what the caller holds. The latter uses the inode, and with MKW_FREEZE the
 * superblock, until mkw_release() has seen it done: whoever faults has the file
 * open.
 */
static void mkw_play(struct mkw_file *file, struct folio *folio,
		     const struct mkw_mode *mode, enum mkw_when when)
{
	unsigned long end = jiffies + MKW_WAIT;
	struct super_block *sb = file->inode->i_sb;
	struct mkw_job *job;

	if (mode->adversary == MKW_NOBODY || mode->when != when)
		return;
	if (mode->adversary == MKW_RIVAL) {
		mkw_wait_for_rival(file, folio);
		return;
	}
	if (mode->adversary == MKW_GROW && when != MKW_AT_UNLOCK) {
		i_size_write(file->inode, (loff_t)mode->pages << PAGE_SHIFT);
		return;
	}
	job = kzalloc(sizeof(*job), GFP_NOFS | __GFP_NOFAIL);
	INIT_WORK(&job->work, mkw_work);
	init_completion(&job->done);
	job->file = file;
	job->folio = folio;
	job->kind = mode->adversary;
	job->size = (loff_t)mode->pages << PAGE_SHIFT;
	job->queued = when == MKW_AT_UNLOCK;
	folio_get(folio);

	if (!job->queued) {
		queue_work(mkw_wq, &job->work);
		wait_for_completion(&job->done);
		kfree(job);
		return;
	}
	queue_work(mkw_wq, &job->work);
	while (!mkw_job_waits(job, sb) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
}

/* Faults */

/*
 * How a handler begins: on a kernel that has it with the helper, otherwise as
 * most filesystems of 6.12 do, who look at the folio and not at the page. The
 * address has to be read from memory: in the code, that of a symbol which may
 * not be there needs a GOT on arm64, and modules have none.
 */
ssize_t filemap_mkwrite_lock(struct vm_fault *vmf) __weak;
static ssize_t (*mkw_helper)(struct vm_fault *vmf) = filemap_mkwrite_lock;

static ssize_t mkw_lock_folio(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	struct inode *inode = file_inode(vmf->vma->vm_file);
	loff_t size;

	if (READ_ONCE(mkw_helper))
		return READ_ONCE(mkw_helper)(vmf);

	folio_lock(folio);
	size = i_size_read(inode);
	if (folio->mapping != inode->i_mapping || !folio_test_uptodate(folio) ||
	    folio_pos(folio) >= size) {
		folio_unlock(folio);
		return -EAGAIN;
	}
	folio_wait_stable(folio);
	return min_t(loff_t, folio_size(folio), size - folio_pos(folio));
}

/* Tells the VM how much of the folio is prepared, if it can be told. */
static void mkw_say_prepared(struct vm_fault *vmf, size_t len)
{
#ifdef MKW_VMF_PREPARED
	vmf->prepared = len;
#endif
}

/* Takes the folio lock, or counts that it is lost, and breaks it. */
static bool mkw_lock_limited(struct vm_fault *vmf, struct folio *folio)
{
	unsigned long end = jiffies + MKW_LIMIT;

	while (!folio_trylock(folio)) {
		if (time_after(jiffies, end)) {
			mkw_violated(MKW_I8_LOCK_LOST,
				     file_inode(vmf->vma->vm_file), vmf->pgoff);
			folio_unlock(folio);
			return false;
		}
		schedule_timeout_uninterruptible(1);
	}
	return true;
}

/* The next that this task dirties is the folio, and it is to hold its lock. */
static void mkw_expect_dirty(struct mkw_file *file, struct folio *folio)
{
	file->dirties = folio;
	WRITE_ONCE(file->dirtier, current);
}

static void mkw_check_table(struct vm_fault *vmf)
{
	if (pmd_none(pmdp_get_lockless(vmf->pmd)) && !vmf->prealloc_pte)
		mkw_violated(MKW_I7_NO_TABLE, file_inode(vmf->vma->vm_file),
			     vmf->pgoff);
}

static vm_fault_t mkw_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	unsigned int nr = folio_page_idx(folio, vmf->page);
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct mkw_file *file = mkw_file(inode);
	struct mkw_mode mode = file->mode;
	vm_fault_t ret = VM_FAULT_NOPAGE;
	unsigned int count = 1;
	ssize_t len;

	WRITE_ONCE(mkw_watcher, NULL);
	mkw_check_table(vmf);
	if (vmf->flags != (FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE))
		atomic64_inc(&file->flags_lost);
	atomic64_inc(&file->page_mkwrite);
	/* Pairs with the barrier in mkw_collide(): count first, then wait. */
	smp_mb__after_atomic();
	if (atomic_dec_if_positive(&file->left) < 0) {
		mode.ret = MKW_LOCKED;
		mode.adversary = MKW_NOBODY;
	}

	mkw_play(file, folio, &mode, MKW_AT_ENTRY);
	switch (mode.ret) {
	case MKW_RETRY:
		return VM_FAULT_RETRY;
	case MKW_NOPAGE:
		return VM_FAULT_NOPAGE;
	case MKW_SIGBUS:
		return VM_FAULT_SIGBUS;
	case MKW_OOM:
		return VM_FAULT_OOM;
	}
	if (mode.flags & MKW_LIMITED) {
		if (!mkw_lock_limited(vmf, folio))
			return VM_FAULT_SIGBUS;
		folio_unlock(folio);
	}

	sb_start_pagefault(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	if (file->setup.flags & MKW_INODE_LOCK)
		filemap_invalidate_lock_shared(inode->i_mapping);
	len = mkw_lock_folio(vmf);
	if (len < 0) {
		ret = vmf_fs_error(len);
		goto out;
	}
	if (mode.flags & MKW_HALF_FOLIO)
		len = min_t(size_t, len, folio_size(folio) / 2);
	if (mode.flags & (MKW_WHOLE_FOLIO | MKW_HALF_FOLIO)) {
		nr = 0;
		count = DIV_ROUND_UP(len, PAGE_SIZE);
	}
	if (mkw_attach_ticket(folio, nr, count)) {
		folio_unlock(folio);
		ret = VM_FAULT_OOM;
		goto out;
	}
	if (!(mode.flags & MKW_LEAVE_CLEAN))
		folio_mark_dirty(folio);
	mkw_play(file, folio, &mode, MKW_AT_PREPARED);
	mkw_play(file, folio, &mode, MKW_AT_UNLOCK);

	if (mode.ret == MKW_UNLOCKED) {
		folio_unlock(folio);
		ret = 0;
	} else if (mode.ret == MKW_RETRY_LOCKED) {
		ret = VM_FAULT_RETRY | VM_FAULT_LOCKED;
	} else if (mode.ret == MKW_RETRY_ERROR) {
		ret = VM_FAULT_RETRY | VM_FAULT_LOCKED | VM_FAULT_SIGBUS;
	} else if (mode.ret == MKW_SIGBUS_LOCKED) {
		ret = VM_FAULT_SIGBUS | VM_FAULT_LOCKED;
	} else if (mode.ret == MKW_NOPAGE_LOCKED) {
		ret = VM_FAULT_NOPAGE | VM_FAULT_LOCKED;
	} else {
		ret = VM_FAULT_LOCKED;
		if (mode.flags & (MKW_WHOLE_FOLIO | MKW_HALF_FOLIO))
			mkw_say_prepared(vmf, len);
		mkw_expect_dirty(file, folio);
	}
out:
	if (file->setup.flags & MKW_INODE_LOCK)
		filemap_invalidate_unlock_shared(inode->i_mapping);
	sb_end_pagefault(inode->i_sb);
	if (ret != VM_FAULT_NOPAGE)
		mkw_play(file, folio, &mode, MKW_AT_RETURN);
	return ret;
}

/* Whether ->fault has returned a page. */
static bool mkw_has_page(vm_fault_t ret)
{
	return !(ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY |
			VM_FAULT_DONE_COW));
}

static bool mkw_shared_write(struct vm_fault *vmf)
{
	return (vmf->flags & FAULT_FLAG_WRITE) &&
	       (vmf->vma->vm_flags & VM_SHARED);
}

static vm_fault_t mkw_fault(struct vm_fault *vmf)
{
	struct mkw_file *file = mkw_file(file_inode(vmf->vma->vm_file));
	struct folio *folio;
	vm_fault_t ret;

	atomic64_inc(&file->fault);
	mkw_check_table(vmf);
	ret = filemap_fault(vmf);
	if (!mkw_has_page(ret))
		return ret;

	folio = page_folio(vmf->page);
	if (mkw_shared_write(vmf)) {
		if (mkw_judged(file)) {
			mkw_watched = folio;
			WRITE_ONCE(mkw_watcher, current);
		} else {
			mkw_expect_dirty(file, folio);
		}
	}
	if (file->setup.flags & MKW_MAJOR)
		ret |= VM_FAULT_MAJOR;
	return ret;
}

/* As those do that do not know that they may lock the folio. */
static vm_fault_t mkw_unlocked_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = filemap_fault(vmf);

	if (mkw_has_page(ret) && (ret & VM_FAULT_LOCKED)) {
		unlock_page(vmf->page);
		ret &= ~VM_FAULT_LOCKED;
	}
	return ret;
}

/* A device with memory of its own: no page cache, no ->mapping. */
static vm_fault_t mkw_driver_fault(struct vm_fault *vmf)
{
	struct mkw_file *file = mkw_file(file_inode(vmf->vma->vm_file));
	struct page *page = xa_load(&file->store, vmf->pgoff);

	if (!page) {
		page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!page)
			return VM_FAULT_OOM;
		if (xa_err(xa_store(&file->store, vmf->pgoff, page, GFP_KERNEL))) {
			__free_page(page);
			return VM_FAULT_OOM;
		}
	}
	get_page(page);
	vmf->page = page;
	return 0;
}

static vm_fault_t mkw_driver_mkwrite(struct vm_fault *vmf)
{
	atomic64_inc(&mkw_file(file_inode(vmf->vma->vm_file))->page_mkwrite);
	if (!mkw_lock_limited(vmf, page_folio(vmf->page)))
		return VM_FAULT_SIGBUS;
	return VM_FAULT_LOCKED;
}

/* Indexed by these flags of the file. */
#define MKW_OPS	(MKW_NO_MKWRITE | MKW_OWN_FAULT | MKW_UNLOCKED_FAULT | MKW_DRIVER)

static const struct vm_operations_struct mkw_vm_ops[MKW_OPS + 1] = {
	[0] = {
		.fault = filemap_fault,
		.map_pages = filemap_map_pages,
		.page_mkwrite = mkw_page_mkwrite,
	}, [MKW_NO_MKWRITE] = {
		.fault = filemap_fault,
		.map_pages = filemap_map_pages,
	}, [MKW_OWN_FAULT] = {
		.fault = mkw_fault,
		.map_pages = filemap_map_pages,
		.page_mkwrite = mkw_page_mkwrite,
	}, [MKW_OWN_FAULT | MKW_NO_MKWRITE] = {
		.fault = mkw_fault,
		.map_pages = filemap_map_pages,
	}, [MKW_UNLOCKED_FAULT] = {
		.fault = mkw_unlocked_fault,
		.page_mkwrite = mkw_page_mkwrite,
	}, [MKW_UNLOCKED_FAULT | MKW_NO_MKWRITE] = {
		.fault = mkw_unlocked_fault,
	}, [MKW_DRIVER] = {
		.fault = mkw_driver_fault,
		.page_mkwrite = mkw_driver_mkwrite,
	}, [MKW_DRIVER | MKW_NO_MKWRITE] = {
		.fault = mkw_driver_fault,
	},
};

static int mkw_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct mkw_file *file = mkw_file(file_inode(filp));

	file_accessed(filp);
	vma->vm_ops = &mkw_vm_ops[file->setup.flags & MKW_OPS];
	return 0;
}

/*
 * What a user cannot see, only a probe of the function: whether
 * do_page_mkwrite() gives vmf->flags back as it got them, what filemap_fault()
 * returns, who unlocks a folio, and who is throttled.
 */
#ifdef CONFIG_KRETPROBES
struct mkw_entry {
	struct vm_fault *vmf;
	unsigned int flags;
};

/* NULL if the fault is none of ours. */
static struct mkw_file *mkw_faulting(struct vm_fault *vmf)
{
	struct file *filp = vmf->vma->vm_file;

	if (!filp || file_inode(filp)->i_sb->s_magic != MKW_MAGIC)
		return NULL;
	return mkw_file(file_inode(filp));
}

static int mkw_enter(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct mkw_entry *entry = (struct mkw_entry *)instance->data;

	entry->vmf = (struct vm_fault *)regs_get_kernel_argument(regs, 0);
	entry->flags = entry->vmf->flags;
	return 0;
}

static int mkw_leave(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct mkw_entry *entry = (struct mkw_entry *)instance->data;
	struct mkw_file *file;

	/* The VMA is not locked any more. */
	if (regs_return_value(regs) & (VM_FAULT_RETRY | VM_FAULT_COMPLETED))
		return 0;
	file = mkw_faulting(entry->vmf);
	if (file && entry->vmf->flags != entry->flags)
		atomic64_inc(&file->flags_lost);
	return 0;
}

struct mkw_fault_entry {
	struct mkw_file *file;
};

static int mkw_enter_fault(struct kretprobe_instance *instance,
			   struct pt_regs *regs)
{
	struct mkw_fault_entry *entry = (struct mkw_fault_entry *)instance->data;
	struct vm_fault *vmf = (struct vm_fault *)regs_get_kernel_argument(regs, 0);

	entry->file = mkw_faulting(vmf);
	if (!entry->file)
		return 1;
	atomic64_inc(&entry->file->filemap_fault);
	return 0;
}

/* The VMA may be gone, not the file: the test has it open. */
static int mkw_leave_fault(struct kretprobe_instance *instance,
			   struct pt_regs *regs)
{
	struct mkw_fault_entry *entry = (struct mkw_fault_entry *)instance->data;
	vm_fault_t ret = (__force vm_fault_t)regs_return_value(regs);

	if (mkw_has_page(ret) && !(ret & VM_FAULT_LOCKED))
		atomic64_inc(&entry->file->unlocked);
	return 0;
}

static int mkw_enter_unlock(struct kprobe *probe, struct pt_regs *regs)
{
	if (READ_ONCE(mkw_watcher) == current &&
	    mkw_watched == (struct folio *)regs_get_kernel_argument(regs, 0))
		atomic64_inc(&mkw_unlocks);
	return 0;
}

static int mkw_enter_throttle(struct kprobe *probe, struct pt_regs *regs)
{
	struct address_space *mapping =
		(struct address_space *)regs_get_kernel_argument(regs, 0);

	if (mapping->host->i_sb->s_magic == MKW_MAGIC)
		atomic64_inc(&mkw_file(mapping->host)->throttled);
	return 0;
}

/*
 * Where do_page_mkwrite() is inlined, its two callers: they have no reason of
 * their own to change vmf->flags.
 */
#define MKW_FLAGS_PROBE(name) { \
	.kp.symbol_name = name, \
	.entry_handler	= mkw_enter, \
	.handler	= mkw_leave, \
	.data_size	= sizeof(struct mkw_entry), \
}
static struct kretprobe mkw_flags_probe = MKW_FLAGS_PROBE("do_page_mkwrite");
static struct kretprobe mkw_wp_probe = MKW_FLAGS_PROBE("wp_page_shared");
static struct kretprobe mkw_shared_probe = MKW_FLAGS_PROBE("do_shared_fault");

static struct kretprobe mkw_fault_probe = {
	.kp.symbol_name	= "filemap_fault",
	.entry_handler	= mkw_enter_fault,
	.handler	= mkw_leave_fault,
	.data_size	= sizeof(struct mkw_fault_entry),
};

static struct kprobe mkw_unlock_probe = {
	.symbol_name	= "folio_unlock",
	.pre_handler	= mkw_enter_unlock,
};

static struct kprobe mkw_throttle_probe = {
	.symbol_name	= "balance_dirty_pages_ratelimited",
	.pre_handler	= mkw_enter_throttle,
};
static bool mkw_callee_probed, mkw_wp_probed, mkw_shared_probed;
static bool mkw_flags_probed, mkw_fault_probed;
static bool mkw_unlock_probed, mkw_throttle_probed;

static void mkw_add_probes(void)
{
	mkw_callee_probed = !register_kretprobe(&mkw_flags_probe);
	if (!mkw_callee_probed) {
		mkw_wp_probed = !register_kretprobe(&mkw_wp_probe);
		mkw_shared_probed = !register_kretprobe(&mkw_shared_probe);
	}
	mkw_flags_probed = mkw_callee_probed ||
			   (mkw_wp_probed && mkw_shared_probed);
	mkw_fault_probed = !register_kretprobe(&mkw_fault_probe);
	mkw_unlock_probed = !register_kprobe(&mkw_unlock_probe);
	mkw_throttle_probed = !register_kprobe(&mkw_throttle_probe);
}

static void mkw_del_probes(void)
{
	if (mkw_callee_probed)
		unregister_kretprobe(&mkw_flags_probe);
	if (mkw_wp_probed)
		unregister_kretprobe(&mkw_wp_probe);
	if (mkw_shared_probed)
		unregister_kretprobe(&mkw_shared_probe);
	if (mkw_fault_probed)
		unregister_kretprobe(&mkw_fault_probe);
	if (mkw_unlock_probed)
		unregister_kprobe(&mkw_unlock_probe);
	if (mkw_throttle_probed)
		unregister_kprobe(&mkw_throttle_probe);
}
#else
static const bool mkw_flags_probed, mkw_fault_probed;
static const bool mkw_unlock_probed, mkw_throttle_probed;

static void mkw_add_probes(void)
{
}

static void mkw_del_probes(void)
{
}
#endif

/* What the programs ask for. All with file->lock held. */

static long mkw_ioc_setup(struct mkw_file *file, void __user *arg)
{
	struct inode *inode = file->inode;
	struct mkw_setup setup;

	if (copy_from_user(&setup, arg, sizeof(setup)))
		return -EFAULT;
	if (setup.order > MKW_MAX_ORDER || !mkw_vm_ops[setup.flags & MKW_OPS].fault)
		return -EINVAL;
	if (i_size_read(inode) || mapping_mapped(inode->i_mapping))
		return -EBUSY;
	file->setup = setup;
	/* No minimum: a truncation inside of a folio is to split it. */
	mapping_set_folio_order_range(inode->i_mapping, 0, setup.order);
	if (setup.flags & MKW_STABLE)
		mapping_set_stable_writes(inode->i_mapping);
	/* A kernel without large folios keeps order 0 and says nothing. */
	if (mapping_max_folio_order(inode->i_mapping) != setup.order)
		return -EOPNOTSUPP;
	return 0;
}

static long mkw_ioc_mode(struct mkw_file *file, void __user *arg)
{
	struct mkw_mode mode;

	if (copy_from_user(&mode, arg, sizeof(mode)))
		return -EFAULT;
	if (mode.ret >= MKW_RETS || mode.adversary >= MKW_ADVERSARIES ||
	    mode.when >= MKW_WHENS)
		return -EINVAL;
	/* IS_SWAPFILE() is constantly false on a kernel without swap. */
	if ((mode.flags & MKW_SWAPFILE) && !IS_ENABLED(CONFIG_SWAP))
		return -EOPNOTSUPP;
	if (mode.when == MKW_AT_PREPARED && mode.adversary != MKW_GROW)
		return -EINVAL;
	if (mode.adversary == MKW_RIVAL && mode.when != MKW_AT_ENTRY)
		return -EINVAL;
	/* It would wait for the lock that the handler returns with. */
	if (mode.when == MKW_AT_RETURN && mode.ret != MKW_UNLOCKED &&
	    mode.adversary != MKW_NOBODY && mode.adversary != MKW_FREEZE)
		return -EINVAL;
	atomic_set(&file->left, 0);
	file->mode = mode;
	atomic_set(&file->left, mode.times);
	inode_lock(file->inode);
	inode_set_flags(file->inode, mode.flags & MKW_SWAPFILE ? S_SWAPFILE : 0,
			S_SWAPFILE);
	inode_unlock(file->inode);
	return 0;
}

static long mkw_ioc_counts(struct mkw_file *file, struct file *filp,
			   void __user *arg)
{
	struct mkw_counts counts = {
		.page_mkwrite	= atomic64_read(&file->page_mkwrite),
		.fault		= atomic64_read(&file->fault),
		.reads		= atomic64_read(&file->reads),
		.frozen		= mkw_frozen(file->inode->i_sb),
		.flags_lost	= mkw_flags_probed ?
				  atomic64_read(&file->flags_lost) : ~0ULL,
		.filemap_fault	= mkw_fault_probed ?
				  atomic64_read(&file->filemap_fault) : ~0ULL,
		.unlocked	= mkw_fault_probed ?
				  atomic64_read(&file->unlocked) : ~0ULL,
		.unlocks	= mkw_unlock_probed ?
				  atomic64_read(&mkw_unlocks) : ~0ULL,
		.throttled	= mkw_throttle_probed ?
				  atomic64_read(&file->throttled) : ~0ULL,
		.mmap_miss	= READ_ONCE(filp->f_ra.mmap_miss),
	};
	int i;

	spin_lock_irq(&mkw_lock);
	counts.tickets = mkw_tickets;
	for (i = 0; i < MKW_VIOLATIONS; i++)
		counts.violations[i] = mkw_violations[i];
	spin_unlock_irq(&mkw_lock);
	return copy_to_user(arg, &counts, sizeof(counts)) ? -EFAULT : 0;
}

static void mkw_release_held(struct mkw_file *file)
{
	struct folio *folio = xchg(&file->held, NULL);

	if (folio) {
		folio_unlock(folio);
		folio_put(folio);
	}
	folio = xchg(&file->written, NULL);
	if (folio) {
		folio_end_writeback(folio);
		folio_put(folio);
	}
}

/* A thread that waits for the lock cannot be killed: end that in any case. */
static void mkw_unhold(struct work_struct *work)
{
	mkw_release_held(container_of(work, struct mkw_file, unhold.work));
}

/* Holds the lock of a folio, or has it under writeback. */
static long mkw_ioc_hold(struct mkw_file *file, void __user *arg, bool writeback)
{
	struct folio *folio;
	u64 index;

	if (copy_from_user(&index, arg, sizeof(index)))
		return -EFAULT;
	if (file->held || file->written)
		return -EBUSY;
	folio = filemap_lock_folio(file->inode->i_mapping, index);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	file->held_since = atomic64_read(&file->page_mkwrite);
	if (writeback) {
		folio_start_writeback(folio);
		folio_unlock(folio);
		file->written = folio;
	} else {
		file->held = folio;
	}
	schedule_delayed_work(&file->unhold, MKW_HOLD);
	return 0;
}

/*
 * The other thread does one of two things: it calls ->page_mkwrite, which is
 * counted, or it waits for the folio lock without that, which sets PG_waiters.
 * The handler waits for the lock as well, but counts before it does. Under
 * writeback it calls ->page_mkwrite in any case, and waits there or maps the page.
 */
static long mkw_ioc_collide(struct mkw_file *file, void __user *arg)
{
	unsigned long end = jiffies + MKW_WAIT;
	struct mkw_collide collide;
	struct folio *folio;
	struct page *page;

	if (copy_from_user(&collide, arg, sizeof(collide)))
		return -EFAULT;
	folio = file->held ?: file->written;
	if (!folio)
		return -EINVAL;
	for (;;) {
		bool waits = folio_test_waiters(folio);

		/* Pairs with the barrier in mkw_page_mkwrite(). */
		smp_rmb();
		collide.entered = atomic64_read(&file->page_mkwrite) !=
				  file->held_since;
		/* Succeeds only if the PTE is writable already; takes no lock. */
		collide.writable = get_user_pages_fast_only(collide.addr, 1,
							    FOLL_WRITE, &page) == 1;
		if (collide.writable)
			put_page(page);
		if (waits || collide.writable || (file->held && collide.entered))
			break;
		if (signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		schedule_timeout_interruptible(1);
	}
	return copy_to_user(arg, &collide, sizeof(collide)) ? -EFAULT : 0;
}

static long mkw_ioc_look(struct mkw_file *file, void __user *arg)
{
	struct inode *inode = file->inode;
	struct mkw_look look;
	struct page *page;
	unsigned int i;

	if (copy_from_user(&look, arg, sizeof(look)))
		return -EFAULT;
	look.present = 0;
	look.writable = 0;
	look.beyond = 0;
	for (i = 0; i < look.nr; i++) {
		unsigned long addr = look.addr + i * PAGE_SIZE;
		u64 index = look.index + i;
		bool beyond = index << PAGE_SHIFT >= i_size_read(inode);

		if (get_user_pages_fast_only(addr, 1, 0, &page) == 1) {
			put_page(page);
			look.present++;
			look.beyond += beyond;
		}
		if (get_user_pages_fast_only(addr, 1, FOLL_WRITE, &page) == 1) {
			put_page(page);
			look.writable++;
			if (beyond)
				mkw_violated(MKW_I4_BEYOND_EOF, inode, index);
		}
	}
	return copy_to_user(arg, &look, sizeof(look)) ? -EFAULT : 0;
}

static long mkw_ioc_pin(struct mkw_file *file, void __user *arg)
{
	u64 addr;
	int ret;

	if (copy_from_user(&addr, arg, sizeof(addr)))
		return -EFAULT;
	if (file->pinned)
		return -EBUSY;
	ret = pin_user_pages_fast(addr, 1, FOLL_WRITE, &file->pinned);
	if (ret == 1)
		return 0;
	return ret < 0 ? ret : -EFAULT;
}

static long mkw_ioc_unpin(struct mkw_file *file)
{
	if (!file->pinned)
		return -EINVAL;
	memset_page(file->pinned, 0, 0x5a, PAGE_SIZE);
	WRITE_ONCE(file->unpinner, current);
	unpin_user_pages_dirty_lock(&file->pinned, 1, true);
	WRITE_ONCE(file->unpinner, NULL);
	file->pinned = NULL;
	return 0;
}

/* As memory_failure() leaves it, for a machine without any. */
static void mkw_poison(struct folio *folio, bool poison)
{
#ifdef CONFIG_MEMORY_FAILURE
	struct page *page = folio_page(folio, MKW_POISONED);

	if (poison) {
		SetPageHWPoison(page);
		folio_set_has_hwpoisoned(folio);
	} else {
		ClearPageHWPoison(page);
		folio_clear_has_hwpoisoned(folio);
	}
#endif
}

static long mkw_ioc_mark(struct mkw_file *file, struct file *filp,
			 void __user *arg)
{
	struct folio *folio;
	long ret = 0;
	u32 what;

	if (copy_from_user(&what, arg, sizeof(what)))
		return -EFAULT;
	folio = filemap_lock_folio(file->inode->i_mapping, 0);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	switch (what) {
	case MKW_READAHEAD:
		/* Of what was read so far, this is the last quarter. */
		filp->f_ra.ra_pages = 4;
		filp->f_ra.start = 0;
		filp->f_ra.size = 4;
		filp->f_ra.async_size = 4;
		folio_set_readahead(folio);
		break;
	case MKW_NOT_UPTODATE:
		folio_clear_uptodate(folio);
		break;
	case MKW_MISSES:
		filp->f_ra.ra_pages = 4;
		WRITE_ONCE(filp->f_ra.mmap_miss, 10);
		break;
	case MKW_POISON:
	case MKW_CURE:
		if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
			ret = -EOPNOTSUPP;
		else if (folio_nr_pages(folio) <= MKW_POISONED)
			ret = -EINVAL;
		else
			mkw_poison(folio, what == MKW_POISON);
		break;
	default:
		ret = -EINVAL;
	}
	folio_unlock(folio);
	folio_put(folio);
	return ret;
}

static long mkw_ioc_lose(struct mkw_file *file, void __user *arg)
{
	struct folio *folio;
	u64 index;

	if (copy_from_user(&index, arg, sizeof(index)))
		return -EFAULT;
	folio = filemap_lock_folio(file->inode->i_mapping, index);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	folio_put(folio);
	return 0;
}

static long mkw_ioc_size(struct mkw_file *file, void __user *arg)
{
	u64 pages;

	if (copy_from_user(&pages, arg, sizeof(pages)))
		return -EFAULT;
	inode_lock(file->inode);
	i_size_write(file->inode, pages << PAGE_SHIFT);
	inode_unlock(file->inode);
	return 0;
}

/* Does by hand what must never happen, so that a test can see it counted. */
static long mkw_ioc_break(struct mkw_file *file, void __user *arg)
{
	struct inode *inode = file->inode;
	struct mkw_record *record;
	struct folio *folio;
	u32 what;

	if (copy_from_user(&what, arg, sizeof(what)))
		return -EFAULT;
	folio = filemap_lock_folio(inode->i_mapping, 0);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	record = folio_get_private(folio);
	switch (what) {
	case MKW_I1_NO_TICKET:
	case MKW_I5_FROZEN_DIRTY:
		folio_mark_dirty(folio);
		break;
	case MKW_I2_CLEAN_CHANGED:
		memset_page(folio_page(folio, 0), 0, 0xa5, PAGE_SIZE);
		break;
	case MKW_I3_BALANCE:
		mkw_release_ticket(record);
		break;
	case MKW_I4_BEYOND_EOF:
		/* No unmapping, as a truncate would. */
		i_size_write(inode, 0);
		break;
	case MKW_I6_UNLOCKED_DIRTY:
		mkw_expect_dirty(file, folio);
		folio_unlock(folio);
		folio_mark_dirty(folio);
		folio_lock(folio);
		break;
	}
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

static long mkw_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct mkw_file *file = mkw_file(file_inode(filp));
	void __user *user = (void __user *)arg;
	long ret = 0;

	mutex_lock(&file->lock);
	switch (cmd) {
	case MKW_IOC_SETUP:
		ret = mkw_ioc_setup(file, user);
		break;
	case MKW_IOC_MODE:
		ret = mkw_ioc_mode(file, user);
		break;
	case MKW_IOC_COUNTS:
		ret = mkw_ioc_counts(file, filp, user);
		break;
	case MKW_IOC_CHECK:
		mkw_check(file->inode);
		break;
	case MKW_IOC_HOLD:
		ret = mkw_ioc_hold(file, user, false);
		break;
	case MKW_IOC_WRITEBACK:
		ret = mkw_ioc_hold(file, user, true);
		break;
	case MKW_IOC_LOSE:
		ret = mkw_ioc_lose(file, user);
		break;
	case MKW_IOC_SIZE:
		ret = mkw_ioc_size(file, user);
		break;
	case MKW_IOC_COLLIDE:
		ret = mkw_ioc_collide(file, user);
		break;
	case MKW_IOC_RELEASE:
		mkw_release_held(file);
		cancel_delayed_work_sync(&file->unhold);
		break;
	case MKW_IOC_LOOK:
		ret = mkw_ioc_look(file, user);
		break;
	case MKW_IOC_PIN:
		ret = mkw_ioc_pin(file, user);
		break;
	case MKW_IOC_UNPIN:
		ret = mkw_ioc_unpin(file);
		break;
	case MKW_IOC_MARK:
		ret = mkw_ioc_mark(file, filp, user);
		break;
	case MKW_IOC_BREAK:
		ret = mkw_ioc_break(file, user);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&file->lock);
	return ret;
}

/*
 * Waits for the adversary. Not at the unmounting, which holds s_umount: one that
 * freezes needs that as well.
 */
static int mkw_release(struct inode *inode, struct file *filp)
{
	flush_workqueue(mkw_wq);
	return 0;
}

static int mkw_fsync(struct file *filp, loff_t start, loff_t end, int datasync)
{
	return file_write_and_wait_range(filp, start, end);
}

static const struct file_operations mkw_file_ops = {
	.read_iter	= mkw_read_iter,
	.mmap		= mkw_mmap,
	.release	= mkw_release,
	.fsync		= mkw_fsync,
	.fallocate	= mkw_fallocate,
	.unlocked_ioctl	= mkw_ioctl,
	.llseek		= generic_file_llseek,
};

static const struct inode_operations mkw_file_iops = {
	.setattr	= mkw_setattr,
};

/* Inodes and the superblock */

static int mkw_create(struct mnt_idmap *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode MKW_EXCL);

static const struct inode_operations mkw_dir_iops = {
	.lookup	= simple_lookup,
	.create	= mkw_create,
};

static struct inode *mkw_new_inode(struct super_block *sb, struct inode *dir,
				   umode_t mode)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	inode_init_owner(&nop_mnt_idmap, inode, dir, mode);
	simple_inode_init_ts(inode);
	/* An inode that is not hashed is never written back. */
	insert_inode_hash(inode);
	return inode;
}

static int mkw_create(struct mnt_idmap *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode MKW_EXCL)
{
	struct mkw_file *file = kzalloc(sizeof(*file), GFP_KERNEL);
	struct inode *inode;

	if (!file)
		return -ENOMEM;
	inode = mkw_new_inode(dir->i_sb, dir, mode | S_IFREG);
	if (!inode) {
		kfree(file);
		return -ENOMEM;
	}
	file->inode = inode;
	xa_init(&file->store);
	mutex_init(&file->lock);
	INIT_DELAYED_WORK(&file->unhold, mkw_unhold);
	inode->i_private = file;
	inode->i_op = &mkw_file_iops;
	inode->i_fop = &mkw_file_ops;
	inode->i_mapping->a_ops = &mkw_aops;
	d_make_persistent(dentry, inode);
	return 0;
}

static void mkw_evict_inode(struct inode *inode)
{
	struct mkw_file *file = mkw_file(inode);

	if (file) {
		cancel_delayed_work_sync(&file->unhold);
		mkw_release_held(file);
		if (file->pinned)
			unpin_user_page(file->pinned);
		mkw_check(inode);
	}
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (file) {
		mkw_free_store(file, 0, ULONG_MAX);
		xa_destroy(&file->store);
		kfree(file);
	}
}

/* Nothing to do, but without it the filesystem cannot be frozen. */
static int mkw_freeze_fs(struct super_block *sb)
{
	return 0;
}

static const struct super_operations mkw_super_ops = {
	.statfs		= simple_statfs,
	.evict_inode	= mkw_evict_inode,
	.freeze_fs	= mkw_freeze_fs,
};

static int mkw_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct inode *root;
	int err;

	err = super_setup_bdi(sb);
	if (err)
		return err;
	/* A fault reads what it asks for and marks nothing for readahead. */
	sb->s_bdi->ra_pages = 0;
	sb->s_bdi->io_pages = 0;
	sb->s_magic = MKW_MAGIC;
	sb->s_op = &mkw_super_ops;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_time_gran = 1;

	root = mkw_new_inode(sb, NULL, S_IFDIR | 0755);
	if (!root)
		return -ENOMEM;
	root->i_op = &mkw_dir_iops;
	root->i_fop = &simple_dir_operations;
	inc_nlink(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;

	spin_lock_irq(&mkw_lock);
	memset(mkw_violations, 0, sizeof(mkw_violations));
	mkw_tickets = 0;
	atomic64_set(&mkw_unlocks, 0);
	spin_unlock_irq(&mkw_lock);
	return 0;
}

static int mkw_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, mkw_fill_super);
}

static const struct fs_context_operations mkw_context_ops = {
	.get_tree	= mkw_get_tree,
};

static int mkw_init_fs_context(struct fs_context *fc)
{
	fc->ops = &mkw_context_ops;
	return 0;
}

static void mkw_kill_sb(struct super_block *sb)
{
	mkw_kill_super(sb);

	spin_lock_irq(&mkw_lock);
	mkw_violations[MKW_I3_BALANCE] += mkw_tickets;
	mkw_tickets = 0;
	spin_unlock_irq(&mkw_lock);
}

static struct file_system_type mkw_fs_type = {
	.owner		 = THIS_MODULE,
	.name		 = "mkwritefs",
	.init_fs_context = mkw_init_fs_context,
	.kill_sb	 = mkw_kill_sb,
};

static int __init mkw_init(void)
{
	int err;

	mkw_wq = alloc_workqueue("mkwritefs", WQ_UNBOUND, 0);
	if (!mkw_wq)
		return -ENOMEM;
	err = register_filesystem(&mkw_fs_type);
	if (err) {
		destroy_workqueue(mkw_wq);
		return err;
	}
	mkw_add_probes();
	return 0;
}

static void __exit mkw_exit(void)
{
	mkw_del_probes();
	unregister_filesystem(&mkw_fs_type);
	destroy_workqueue(mkw_wq);
	rcu_barrier();
}

module_init(mkw_init);
module_exit(mkw_exit);
MODULE_DESCRIPTION("A filesystem that judges the ->page_mkwrite protocol");
MODULE_LICENSE("GPL");
