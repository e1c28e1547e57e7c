// SPDX-License-Identifier: GPL-2.0
/*
 * mkwritefs for v2.6.30: the page-cache filesystem of selftests/test_modules
 * with this kernel's interfaces. It judges the ->page_mkwrite protocol: a
 * ticket is attached to every page in ->page_mkwrite and taken away when
 * writeback has cleaned the page. See enum mkw_violation for what is counted.
 *
 * page->private holds all that is known of a page, the ticket, the mark that
 * it was dirtied without one, and a checksum of its contents, so that there is
 * nothing to allocate or to free. What is written back lies in one buffer a
 * file. The filesystem is gone with its mount; the counts are the module's.
 *
 * Only what this kernel has of mkwritefs.h is here: order 0, no
 * VM_FAULT_RETRY, no freezing of page faults, no pinning.
 *
 * Locking: page->private changes under mkw_lock and, but for the mark set in
 * ->set_page_dirty, under the page lock.
 */
#include <linux/backing-dev.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <linux/writeback.h>

#include "call.h"
#include "mkwritefs.h"

#define MKW_MAGIC	0x6d6b7721
#define MKW_MAX_BYTES	(256 << 10)
/* A wait of the module's own that takes longer is given up. */
#define MKW_WAIT	(15 * HZ)

/* Bits of page->private; the checksum lies in the upper half. */
#define MKW_TICKET	0x1UL
#define MKW_STRAY	0x2UL	/* dirtied without a ticket: the checksum means nothing */
#define MKW_SUM_SHIFT	32

struct mkw_file {
	struct inode *inode;
	char *store;		/* MKW_MAX_BYTES */
	struct mutex lock;	/* against ioctls */
	struct mkw_setup setup;
	struct mkw_mode mode;
	atomic_t left;		/* calls that still play mode */
	atomic_t page_mkwrite;
	atomic_t fault;
	atomic_t reads;

	struct page *own;	/* MKW_OWN_FAULT: a page without mapping */
	struct page *held;	/* by MKW_IOC_HOLD or MKW_SIGBUS_LOCKED */
	int held_since;		/* page_mkwrite then */
};

struct mkw_job {
	struct work_struct work;
	struct completion done;
	struct mkw_file *file;
	struct page *page;
	struct task_struct *task;	/* once it has begun */
	enum mkw_adversary kind;
	bool queued;		/* MKW_AT_UNLOCK: nobody waits for done */
};

static struct workqueue_struct *mkw_wq;
static DEFINE_SPINLOCK(mkw_lock);
static unsigned long mkw_violations[MKW_VIOLATIONS];
static unsigned long mkw_tickets;

/* Readable after unmounting, which is when the last of them is counted. */
module_param_array_named(violations, mkw_violations, ulong, NULL, 0444);

static struct backing_dev_info mkw_bdi = {
	.ra_pages	= 0,	/* a fault reads what it asks for */
	.capabilities	= BDI_CAP_MAP_COPY,
};

static struct mkw_file *mkw_file(struct inode *inode)
{
	return inode->i_private;
}

static bool mkw_judged(struct mkw_file *file)
{
	return !(file->setup.flags & MKW_NO_MKWRITE);
}

static void mkw_violated(enum mkw_violation what, struct inode *inode, pgoff_t index)
{
	unsigned long flags;

	spin_lock_irqsave(&mkw_lock, flags);
	mkw_violations[what]++;
	spin_unlock_irqrestore(&mkw_lock, flags);
	if (printk_ratelimit())
		printk(KERN_INFO "mkwritefs: I%d: inode %lu index %lu (%s)\n",
		       what + 1, inode->i_ino, index, current->comm);
}

/* Tickets and checksums. All of it with the page locked. */

static unsigned long mkw_sum(struct page *page)
{
	u32 *data = kmap(page);
	unsigned long sum = jhash2(data, PAGE_SIZE / sizeof(*data), 0);

	kunmap(page);
	return sum << MKW_SUM_SHIFT;
}

static bool mkw_has(struct page *page, unsigned long bit)
{
	return PagePrivate(page) && (page_private(page) & bit);
}

/* Sets everything that is known of the page. */
static void mkw_know(struct page *page, unsigned long value)
{
	unsigned long flags;

	if (!PagePrivate(page)) {
		page_cache_get(page);
		set_page_private(page, 0);
		SetPagePrivate(page);
	}
	spin_lock_irqsave(&mkw_lock, flags);
	if (page_private(page) & MKW_TICKET)
		mkw_tickets--;
	if (value & MKW_TICKET)
		mkw_tickets++;
	set_page_private(page, value);
	spin_unlock_irqrestore(&mkw_lock, flags);
}

/* I2, if nobody was allowed to write to the page. */
static void mkw_verify(struct page *page)
{
	struct inode *inode = page->mapping->host;

	if (!PagePrivate(page) || mkw_has(page, MKW_TICKET | MKW_STRAY) ||
	    !mkw_judged(mkw_file(inode)))
		return;
	if (page_private(page) >> MKW_SUM_SHIFT != mkw_sum(page) >> MKW_SUM_SHIFT)
		mkw_violated(MKW_I2_CLEAN_CHANGED, inode, page->index);
}

static void mkw_forget(struct page *page)
{
	if (!PagePrivate(page))
		return;
	mkw_know(page, 0);
	ClearPagePrivate(page);
	page_cache_release(page);
}

/* Address space operations */

static int mkw_readpage(struct file *unused, struct page *page)
{
	struct mkw_file *file = mkw_file(page->mapping->host);

	atomic_inc(&file->reads);
	memcpy(kmap(page), file->store + page_offset(page), PAGE_SIZE);
	kunmap(page);
	flush_dcache_page(page);
	mkw_know(page, mkw_sum(page));
	SetPageUptodate(page);
	unlock_page(page);
	return 0;
}

/*
 * Writes a page back that is no longer dirty and write-protected, and lets go
 * of its ticket. The page is locked.
 */
static void mkw_store(struct page *page)
{
	struct inode *inode = page->mapping->host;
	struct mkw_file *file = mkw_file(inode);
	loff_t pos = page_offset(page), size = i_size_read(inode);

	/* What was written beyond the end through a mapping ends here. */
	if (pos < size && size - pos < PAGE_SIZE)
		zero_user_segment(page, size - pos, PAGE_SIZE);
	mkw_verify(page);
	if (pos < size) {
		memcpy(file->store + pos, kmap(page), PAGE_SIZE);
		kunmap(page);
	}
	mkw_know(page, mkw_sum(page));
}

static int mkw_writepage_locked(struct page *page)
{
	set_page_writeback(page);
	mkw_store(page);
	unlock_page(page);
	end_page_writeback(page);
	return 0;
}

static int mkw_writepage(struct page *page, struct writeback_control *wbc)
{
	return mkw_writepage_locked(page);
}

static int mkw_writepage_one(struct page *page, struct writeback_control *wbc,
			     void *unused)
{
	return mkw_writepage_locked(page);
}

/*
 * Unless a file asks for it, only writeback that somebody waits for cleans its
 * pages: pdflush's clock must not decide how a test ends.
 */
static int mkw_writepages(struct address_space *mapping,
			  struct writeback_control *wbc)
{
	if (wbc->sync_mode == WB_SYNC_NONE &&
	    !(mkw_file(mapping->host)->mode.flags & MKW_BACKGROUND))
		return 0;
	return write_cache_pages(mapping, wbc, mkw_writepage_one, NULL);
}

/* Writes one page back under the lock that the caller took. */
static void mkw_clean_locked(struct page *page)
{
	wait_on_page_writeback(page);
	if (!clear_page_dirty_for_io(page))
		return;
	set_page_writeback(page);
	mkw_store(page);
	end_page_writeback(page);
}

static int mkw_set_page_dirty(struct page *page)
{
	struct address_space *mapping = page->mapping;
	unsigned long flags;

	/* It may be called without the page lock and find truncate done. */
	if (mapping && mkw_judged(mkw_file(mapping->host)) &&
	    !mkw_has(page, MKW_TICKET)) {
		mkw_violated(MKW_I1_NO_TICKET, mapping->host, page->index);
		spin_lock_irqsave(&mkw_lock, flags);
		if (PagePrivate(page))
			set_page_private(page, page_private(page) | MKW_STRAY);
		spin_unlock_irqrestore(&mkw_lock, flags);
	}
	return __set_page_dirty_nobuffers(page);
}

static void mkw_invalidatepage(struct page *page, unsigned long offset)
{
	if (offset) {
		/* The caller zeroed this part, also where nothing is prepared. */
		mkw_know(page, (page_private(page) & (MKW_TICKET | MKW_STRAY)) |
			       mkw_sum(page));
		return;
	}
	mkw_verify(page);
	mkw_forget(page);
}

static int mkw_releasepage(struct page *page, gfp_t gfp)
{
	if (mkw_has(page, MKW_TICKET) || PageDirty(page))
		return 0;
	mkw_verify(page);
	mkw_forget(page);
	return 1;
}

static const struct address_space_operations mkw_aops = {
	.readpage	= mkw_readpage,
	.writepage	= mkw_writepage,
	.writepages	= mkw_writepages,
	.set_page_dirty	= mkw_set_page_dirty,
	.invalidatepage	= mkw_invalidatepage,
	.releasepage	= mkw_releasepage,
};

/* I2 and I3 for every page of a file that is in the cache. */
static void mkw_check(struct inode *inode)
{
	pgoff_t index;

	for (index = 0; index < MKW_MAX_BYTES / PAGE_SIZE; index++) {
		struct page *page = find_lock_page(inode->i_mapping, index);

		if (!page)
			continue;
		if (mkw_judged(mkw_file(inode))) {
			if (mkw_has(page, MKW_TICKET) != !!PageDirty(page))
				mkw_violated(MKW_I3_BALANCE, inode, index);
			mkw_verify(page);
		}
		unlock_page(page);
		page_cache_release(page);
	}
}

/* Called with i_mutex held. */
static int mkw_set_size(struct inode *inode, loff_t size)
{
	loff_t old = i_size_read(inode);
	struct page *page;
	int err;

	/* What a mapping wrote behind the old end is not part of the file. */
	if (size > old && old & ~PAGE_MASK) {
		page = find_lock_page(inode->i_mapping, old >> PAGE_SHIFT);
		if (page) {
			zero_user_segment(page, old & ~PAGE_MASK, PAGE_SIZE);
			mkw_invalidatepage(page, old & ~PAGE_MASK);
			unlock_page(page);
			page_cache_release(page);
		}
	}
	err = vmtruncate(inode, size);
	if (!err && size < old)
		memset(mkw_file(inode)->store + size, 0, MKW_MAX_BYTES - size);
	return err;
}

static int mkw_setattr(struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = dentry->d_inode;
	int err;

	err = inode_change_ok(inode, attr);
	if (!err && attr->ia_valid & ATTR_SIZE)
		err = mkw_set_size(inode, attr->ia_size);
	attr->ia_valid &= ~ATTR_SIZE;
	return err ?: inode_setattr(inode, attr);
}

/* The adversary */

static void mkw_work(struct work_struct *work)
{
	struct mkw_job *job = container_of(work, struct mkw_job, work);
	struct inode *inode = job->file->inode;
	struct address_space *mapping = inode->i_mapping;
	struct page *page = job->page;
	pgoff_t index = page->index;
	loff_t old;

	job->task = current;
	switch (job->kind) {
	case MKW_CLEAN:
		lock_page(page);
		if (page->mapping == mapping)
			mkw_clean_locked(page);
		unlock_page(page);
		break;
	case MKW_INVALIDATE:
		lock_page(page);
		if (page->mapping == mapping)
			mkw_clean_locked(page);
		unlock_page(page);
		invalidate_inode_pages2_range(mapping, index, index);
		break;
	case MKW_SHRINK:
		mutex_lock(&inode->i_mutex);
		i_size_write(inode, (loff_t)index << PAGE_SHIFT);
		mutex_unlock(&inode->i_mutex);
		break;
	case MKW_STALE:
		lock_page(page);
		ClearPageUptodate(page);
		unlock_page(page);
		break;
	default:
		mutex_lock(&inode->i_mutex);
		old = i_size_read(inode);
		mkw_set_size(inode, (loff_t)index << PAGE_SHIFT);
		if (job->kind == MKW_REFILL) {
			mkw_set_size(inode, old);
			page = read_mapping_page(mapping, index, NULL);
			if (!IS_ERR(page))
				page_cache_release(page);
		}
		mutex_unlock(&inode->i_mutex);
	}

	page_cache_release(job->page);
	if (job->queued)
		kfree(job);
	else
		complete(&job->done);
}

/*
 * Lets the adversary run: to its end, or with MKW_AT_UNLOCK until it waits for
 * the page lock, which the caller holds.
 */
static void mkw_play(struct mkw_file *file, struct page *page,
		     const struct mkw_mode *mode, enum mkw_when when)
{
	unsigned long end = jiffies + MKW_WAIT;
	struct mkw_job *job;

	if (mode->adversary == MKW_NOBODY || mode->when != when)
		return;
	job = kzalloc(sizeof(*job), GFP_NOFS | __GFP_NOFAIL);
	INIT_WORK(&job->work, mkw_work);
	init_completion(&job->done);
	job->file = file;
	job->page = page;
	job->kind = mode->adversary;
	job->queued = when == MKW_AT_UNLOCK;
	page_cache_get(page);
	queue_work(mkw_wq, &job->work);
	if (!job->queued) {
		wait_for_completion(&job->done);
		kfree(job);
		return;
	}
	while (!(ACCESS_ONCE(job->task) &&
		 ACCESS_ONCE(job->task->state) == TASK_UNINTERRUPTIBLE) &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
}

/* Faults */

static int mkw_page_mkwrite(struct vm_area_struct *vma, struct vm_fault *vmf)
{
	struct page *page = vmf->page;
	struct inode *inode = vma->vm_file->f_mapping->host;
	struct mkw_file *file = mkw_file(inode);
	struct mkw_mode mode = file->mode;

	atomic_inc(&file->page_mkwrite);
	if (!atomic_add_unless(&file->left, -1, 0)) {
		mode.ret = MKW_LOCKED;
		mode.adversary = MKW_NOBODY;
	}
	if (vmf->flags != (FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE))
		printk(KERN_WARNING "mkwritefs: WARNING: ->page_mkwrite with flags %x\n",
		       vmf->flags);

	/* A driver's page: nothing to attach, nothing to lock it against. */
	if (page == file->own)
		return 0;

	mkw_play(file, page, &mode, MKW_AT_ENTRY);
	switch (mode.ret) {
	case MKW_NOPAGE:
		return VM_FAULT_NOPAGE;
	case MKW_SIGBUS:
		return VM_FAULT_SIGBUS;
	case MKW_OOM:
		return VM_FAULT_OOM;
	case MKW_SIGBUS_LOCKED:
		lock_page(page);
		page_cache_get(page);
		file->held = page;
		return VM_FAULT_SIGBUS | VM_FAULT_LOCKED;
	}

	lock_page(page);
	if (page->mapping != inode->i_mapping || !PageUptodate(page) ||
	    page_offset(page) >= i_size_read(inode)) {
		unlock_page(page);
		return VM_FAULT_NOPAGE;
	}
	if (!mkw_has(page, MKW_TICKET)) {
		mkw_verify(page);
		mkw_know(page, mkw_sum(page) | MKW_TICKET);
	}
	if (!(mode.flags & MKW_LEAVE_CLEAN))
		set_page_dirty(page);
	mkw_play(file, page, &mode, MKW_AT_UNLOCK);

#ifdef MKW_VM_KNOWS_LOCKED
	if (mode.ret == MKW_LOCKED)
		return VM_FAULT_LOCKED;
#endif
	/*
	 * The most a handler could do before there was VM_FAULT_LOCKED. Who
	 * waits for the lock gets it now.
	 */
	unlock_page(page);
	flush_workqueue(mkw_wq);
	mkw_play(file, page, &mode, MKW_AT_RETURN);
	return 0;
}

static int mkw_own_fault(struct vm_area_struct *vma, struct vm_fault *vmf)
{
	struct mkw_file *file = mkw_file(vma->vm_file->f_mapping->host);

	atomic_inc(&file->fault);
	get_page(file->own);
	vmf->page = file->own;
	return 0;
}

/* Indexed by MKW_NO_MKWRITE | MKW_OWN_FAULT. */
static struct vm_operations_struct mkw_vm_ops[] = {
	{
		.fault = filemap_fault,
		.page_mkwrite = mkw_page_mkwrite,
	}, {
		.fault = filemap_fault,
	}, {
		.fault = mkw_own_fault,
		.page_mkwrite = mkw_page_mkwrite,
	}, {
		.fault = mkw_own_fault,
	},
};

static int mkw_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct mkw_file *file = mkw_file(filp->f_mapping->host);

	file_accessed(filp);
	vma->vm_ops = &mkw_vm_ops[file->setup.flags &
				  (MKW_NO_MKWRITE | MKW_OWN_FAULT)];
	return 0;
}

/* What the programs ask for. All with file->lock held. */

/*
 * The caller's PTE for this address, as it is now; 0 if there is no page table.
 * Called with mmap_sem held.
 */
static pte_t mkw_pte(unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	pgd_t *pgd = pgd_offset(mm, addr);
	pte_t none = __pte(0), *ptep, pte;
	spinlock_t *ptl;
	pud_t *pud;
	pmd_t *pmd;

	if (pgd_none(*pgd))
		return none;
	pud = pud_offset(pgd, addr);
	if (pud_none(*pud))
		return none;
	pmd = pmd_offset(pud, addr);
	if (pmd_none(*pmd))
		return none;
	ptep = pte_offset_map_lock(mm, pmd, addr, &ptl);
	pte = *ptep;
	pte_unmap_unlock(ptep, ptl);
	return pte;
}

static bool mkw_writable(unsigned long addr)
{
	bool writable;
	pte_t pte;

	down_read(&current->mm->mmap_sem);
	pte = mkw_pte(addr);
	writable = pte_present(pte) && pte_write(pte);
	up_read(&current->mm->mmap_sem);
	return writable;
}

static long mkw_ioc_setup(struct mkw_file *file, void __user *arg)
{
	struct mkw_setup setup;

	if (copy_from_user(&setup, arg, sizeof(setup)))
		return -EFAULT;
	if (setup.order)
		return -EOPNOTSUPP;
	if (i_size_read(file->inode) || mapping_mapped(file->inode->i_mapping))
		return -EBUSY;
	if (setup.flags & MKW_OWN_FAULT && !file->own) {
		file->own = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!file->own)
			return -ENOMEM;
	}
	file->setup = setup;
	return 0;
}

static long mkw_ioc_mode(struct mkw_file *file, void __user *arg)
{
	struct mkw_mode mode;

	if (copy_from_user(&mode, arg, sizeof(mode)))
		return -EFAULT;
	if (mode.ret > MKW_SIGBUS_LOCKED || mode.ret == MKW_RETRY ||
	    mode.ret == MKW_RETRY_LOCKED ||
	    mode.adversary >= MKW_ADVERSARIES || mode.adversary == MKW_FREEZE ||
	    mode.adversary == MKW_CUT || mode.when >= MKW_WHENS)
		return -EINVAL;
	/* It would wait for the lock that the handler returns with. */
	if (mode.when == MKW_AT_RETURN && mode.ret == MKW_LOCKED &&
	    mode.adversary != MKW_NOBODY)
		return -EINVAL;
	flush_workqueue(mkw_wq);
	atomic_set(&file->left, 0);
	file->mode = mode;
	atomic_set(&file->left, mode.times);
	return 0;
}

static long mkw_ioc_counts(struct mkw_file *file, void __user *arg)
{
	struct mkw_counts counts = {
		.page_mkwrite	= atomic_read(&file->page_mkwrite),
		.fault		= atomic_read(&file->fault),
		.reads		= atomic_read(&file->reads),
		.flags_lost	= ~0ULL,
	};
	int i;

	/* An adversary that was set off is part of what is counted. */
	flush_workqueue(mkw_wq);
	spin_lock_irq(&mkw_lock);
	counts.tickets = mkw_tickets;
	for (i = 0; i < MKW_VIOLATIONS; i++)
		counts.violations[i] = mkw_violations[i];
	spin_unlock_irq(&mkw_lock);
	return copy_to_user(arg, &counts, sizeof(counts)) ? -EFAULT : 0;
}

static void mkw_release_held(struct mkw_file *file)
{
	struct page *page = xchg(&file->held, NULL);

	if (!page)
		return;
	/* After MKW_SIGBUS_LOCKED a VM may have taken the lock for its own. */
	if (PageLocked(page))
		unlock_page(page);
	page_cache_release(page);
}

static long mkw_ioc_hold(struct mkw_file *file, void __user *arg)
{
	u64 index;

	if (copy_from_user(&index, arg, sizeof(index)))
		return -EFAULT;
	if (file->held)
		return -EBUSY;
	file->held = find_lock_page(file->inode->i_mapping, index);
	file->held_since = atomic_read(&file->page_mkwrite);
	return file->held ? 0 : -ENOENT;
}

/* How far the other thread came. The program saw to it that it waits by now. */
static long mkw_ioc_collide(struct mkw_file *file, void __user *arg)
{
	struct mkw_collide collide;

	if (copy_from_user(&collide, arg, sizeof(collide)))
		return -EFAULT;
	if (!file->held)
		return -EINVAL;
	collide.writable = mkw_writable(collide.addr);
	collide.entered = atomic_read(&file->page_mkwrite) != file->held_since;
	return copy_to_user(arg, &collide, sizeof(collide)) ? -EFAULT : 0;
}

static long mkw_ioc_look(struct mkw_file *file, void __user *arg)
{
	struct inode *inode = file->inode;
	struct mkw_look look;
	unsigned int i;

	if (copy_from_user(&look, arg, sizeof(look)))
		return -EFAULT;
	look.present = 0;
	look.writable = 0;
	look.beyond = 0;
	down_read(&current->mm->mmap_sem);
	for (i = 0; i < look.nr; i++) {
		pte_t pte = mkw_pte(look.addr + i * PAGE_SIZE);
		u64 index = look.index + i;
		bool beyond = index << PAGE_SHIFT >= i_size_read(inode);

		if (!pte_present(pte))
			continue;
		look.present++;
		look.beyond += beyond;
		if (!pte_write(pte))
			continue;
		look.writable++;
		if (beyond)
			mkw_violated(MKW_I4_BEYOND_EOF, inode, index);
	}
	up_read(&current->mm->mmap_sem);
	return copy_to_user(arg, &look, sizeof(look)) ? -EFAULT : 0;
}

/* Does by hand what must never happen, so that a test can see it counted. */
static long mkw_ioc_break(struct mkw_file *file, void __user *arg)
{
	struct inode *inode = file->inode;
	struct page *page;
	u32 what;

	if (copy_from_user(&what, arg, sizeof(what)))
		return -EFAULT;
	page = find_lock_page(inode->i_mapping, 0);
	if (!page)
		return -ENOENT;
	switch (what) {
	case MKW_I1_NO_TICKET:
		set_page_dirty(page);
		break;
	case MKW_I2_CLEAN_CHANGED:
		memset(kmap(page), 0xa5, PAGE_SIZE);
		kunmap(page);
		break;
	case MKW_I3_BALANCE:
		mkw_know(page, page_private(page) & ~MKW_TICKET);
		break;
	case MKW_I4_BEYOND_EOF:
		/* No unmapping, as a truncate would. */
		i_size_write(inode, 0);
		break;
	}
	unlock_page(page);
	page_cache_release(page);
	return 0;
}

/* Asks another filesystem's handler. Nothing is dirtied, whatever it says. */
static long mkw_ioc_call(void __user *arg)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	struct vm_fault vmf = { .flags = FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE };
	struct mkw_call call;
	int ret;

	if (copy_from_user(&call, arg, sizeof(call)))
		return -EFAULT;
	down_read(&mm->mmap_sem);
	vma = find_vma(mm, call.addr);
	if (!vma || vma->vm_start > call.addr || !vma->vm_file)
		goto fault;
	vmf.virtual_address = (void __user *)(unsigned long)call.addr;
	vmf.pgoff = vma->vm_pgoff + ((call.addr - vma->vm_start) >> PAGE_SHIFT);
	vmf.page = find_get_page(vma->vm_file->f_mapping, vmf.pgoff);
	if (!vmf.page)
		goto fault;
	if (!vma->vm_ops->page_mkwrite) {
		call.result = MKW_CALL_NONE;
	} else {
		ret = vma->vm_ops->page_mkwrite(vma, &vmf);
		if (ret & VM_FAULT_LOCKED && PageLocked(vmf.page)) {
			unlock_page(vmf.page);
			call.result = MKW_CALL_LOCKED;
		} else {
			call.result = ret ? MKW_CALL_OTHER : MKW_CALL_UNLOCKED;
		}
	}
	page_cache_release(vmf.page);
	up_read(&mm->mmap_sem);
	return copy_to_user(arg, &call, sizeof(call)) ? -EFAULT : 0;
fault:
	up_read(&mm->mmap_sem);
	return -EFAULT;
}

static long mkw_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct mkw_file *file = mkw_file(filp->f_mapping->host);
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
		ret = mkw_ioc_counts(file, user);
		break;
	case MKW_IOC_CHECK:
		mkw_check(file->inode);
		break;
	case MKW_IOC_HOLD:
		ret = mkw_ioc_hold(file, user);
		break;
	case MKW_IOC_COLLIDE:
		ret = mkw_ioc_collide(file, user);
		break;
	case MKW_IOC_RELEASE:
		mkw_release_held(file);
		break;
	case MKW_IOC_LOOK:
		ret = mkw_ioc_look(file, user);
		break;
	case MKW_IOC_BREAK:
		ret = mkw_ioc_break(file, user);
		break;
	case MKW_IOC_CALL:
		ret = mkw_ioc_call(user);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&file->lock);
	return ret;
}

static const struct file_operations mkw_file_ops = {
	.read		= do_sync_read,
	.aio_read	= generic_file_aio_read,
	.mmap		= mkw_mmap,
	.fsync		= simple_sync_file,
	.unlocked_ioctl	= mkw_ioctl,
	.llseek		= generic_file_llseek,
};

static const struct inode_operations mkw_file_iops = {
	.setattr	= mkw_setattr,
};

/* Inodes and the superblock */

static int mkw_create(struct inode *dir, struct dentry *dentry, int mode,
		      struct nameidata *nd);

static const struct inode_operations mkw_dir_iops = {
	.lookup	= simple_lookup,
	.create	= mkw_create,
};

static struct inode *mkw_new_inode(struct super_block *sb, umode_t mode)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_mode = mode;
	inode->i_mtime = inode->i_atime = inode->i_ctime = CURRENT_TIME;
	inode->i_mapping->backing_dev_info = &mkw_bdi;
	/* An inode that is not hashed is never written back. */
	insert_inode_hash(inode);
	return inode;
}

static int mkw_create(struct inode *dir, struct dentry *dentry, int mode,
		      struct nameidata *nd)
{
	struct mkw_file *file = kzalloc(sizeof(*file), GFP_KERNEL);
	char *store = vmalloc(MKW_MAX_BYTES);
	struct inode *inode = NULL;

	if (file && store)
		inode = mkw_new_inode(dir->i_sb, mode | S_IFREG);
	if (!inode) {
		vfree(store);
		kfree(file);
		return -ENOMEM;
	}
	memset(store, 0, MKW_MAX_BYTES);
	file->inode = inode;
	file->store = store;
	mutex_init(&file->lock);
	inode->i_private = file;
	inode->i_op = &mkw_file_iops;
	inode->i_fop = &mkw_file_ops;
	inode->i_mapping->a_ops = &mkw_aops;
	d_instantiate(dentry, inode);
	dget(dentry);	/* there is nowhere to look it up again */
	return 0;
}

static void mkw_delete_inode(struct inode *inode)
{
	struct mkw_file *file = mkw_file(inode);

	if (file) {
		mkw_release_held(file);
		mkw_check(inode);
	}
	truncate_inode_pages(&inode->i_data, 0);
	if (file) {
		if (file->own)
			__free_page(file->own);
		vfree(file->store);
		kfree(file);
	}
	clear_inode(inode);
}

static const struct super_operations mkw_super_ops = {
	.statfs		= simple_statfs,
	.drop_inode	= generic_delete_inode,
	.delete_inode	= mkw_delete_inode,
};

static int mkw_fill_super(struct super_block *sb, void *data, int silent)
{
	struct inode *root;

	sb->s_magic = MKW_MAGIC;
	sb->s_op = &mkw_super_ops;
	sb->s_maxbytes = MKW_MAX_BYTES;
	sb->s_time_gran = 1;

	root = mkw_new_inode(sb, S_IFDIR | 0755);
	if (!root)
		return -ENOMEM;
	root->i_op = &mkw_dir_iops;
	root->i_fop = &simple_dir_operations;
	inc_nlink(root);
	sb->s_root = d_alloc_root(root);
	if (!sb->s_root) {
		iput(root);
		return -ENOMEM;
	}

	spin_lock_irq(&mkw_lock);
	memset(mkw_violations, 0, sizeof(mkw_violations));
	mkw_tickets = 0;
	spin_unlock_irq(&mkw_lock);
	return 0;
}

static int mkw_get_sb(struct file_system_type *type, int flags,
		      const char *name, void *data, struct vfsmount *mnt)
{
	return get_sb_nodev(type, flags, data, mkw_fill_super, mnt);
}

static void mkw_kill_sb(struct super_block *sb)
{
	flush_workqueue(mkw_wq);
	kill_litter_super(sb);

	spin_lock_irq(&mkw_lock);
	mkw_violations[MKW_I3_BALANCE] += mkw_tickets;
	mkw_tickets = 0;
	spin_unlock_irq(&mkw_lock);
}

static struct file_system_type mkw_fs_type = {
	.owner		= THIS_MODULE,
	.name		= "mkwritefs",
	.get_sb		= mkw_get_sb,
	.kill_sb	= mkw_kill_sb,
};

static int __init mkw_init(void)
{
	int err;

	err = bdi_init(&mkw_bdi);
	if (err)
		return err;
	mkw_wq = create_singlethread_workqueue("mkwritefs");
	if (!mkw_wq) {
		err = -ENOMEM;
		goto out_bdi;
	}
	err = register_filesystem(&mkw_fs_type);
	if (!err)
		return 0;
	destroy_workqueue(mkw_wq);
out_bdi:
	bdi_destroy(&mkw_bdi);
	return err;
}

static void __exit mkw_exit(void)
{
	unregister_filesystem(&mkw_fs_type);
	destroy_workqueue(mkw_wq);
	bdi_destroy(&mkw_bdi);
}

module_init(mkw_init);
module_exit(mkw_exit);
MODULE_DESCRIPTION("A filesystem that judges the ->page_mkwrite protocol");
MODULE_LICENSE("GPL");
