// SPDX-License-Identifier: GPL-2.0
// A second held-back set, in styles that the first had not: mistakes.
#include "kernel.h"

struct s_ctx {
	struct vm_fault *vmf;
	struct inode *inode;
	struct folio *folio;
	vm_fault_t ret;
	bool locked;
};

/* the context carries the answer */
static void s01_step(struct s_ctx *ctx)
{
	if (foo_prepare(ctx->inode, ctx->folio)) {
		ctx->ret = VM_FAULT_SIGBUS;
		return;
	}
	folio_mark_dirty(ctx->folio);
}

vm_fault_t bad_balance_s01_page_mkwrite(struct vm_fault *vmf)
{
	struct s_ctx ctx = { .vmf = vmf, .inode = file_inode(vmf->vma->vm_file), .ret = VM_FAULT_LOCKED };
	ssize_t len;

	ctx.folio = page_folio(vmf->page);
	sb_start_pagefault(ctx.inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		ctx.ret = vmf_fs_error(len);
	else
		s01_step(&ctx);
	sb_end_pagefault(ctx.inode->i_sb);
	return ctx.ret;
}

/* fallthrough into the wrong arm */
vm_fault_t bad_balance_s02_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	switch (foo_prepare(inode, folio)) {
	case -ENOMEM:
		folio_unlock(folio);
		/* fallthrough */
	case 0:
		folio_mark_dirty(folio);
		return VM_FAULT_LOCKED;
	default:
		folio_unlock(folio);
		return VM_FAULT_SIGBUS;
	}
}

/* trylock, and the failed try goes on as if locked */
vm_fault_t bad_balance_s03_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	bool locked = folio_trylock(folio);

	if (locked && (folio->mapping != inode->i_mapping || folio_pos(folio) >= i_size_read(inode))) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* the condition of the unlock is not that of the error */
vm_fault_t bad_balance_s04_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;
	ssize_t len = filemap_mkwrite_lock(vmf);
	int err;

	if (len < 0)
		return vmf_fs_error(len);
	err = foo_prepare(inode, folio);
	if (err)
		ret = vmf_error(err);
	else
		folio_mark_dirty(folio);
	if (err == -ENOSPC)
		folio_unlock(folio);
	return ret;
}

/* folio_lock_killable() the wrong way round */
vm_fault_t bad_balance_s05_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);

	if (!folio_lock_killable(folio))
		return VM_FAULT_SIGBUS;
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= i_size_read(inode)) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	return VM_FAULT_LOCKED;
}

/* scoped_guard with a return out of it that forgets the folio */
vm_fault_t bad_balance_s06_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct foo_inode *fi = inode->i_private;
	struct folio *folio = page_folio(vmf->page);

	scoped_guard(mutex, &fi->lock) {
		ssize_t len = filemap_mkwrite_lock(vmf);

		if (len < 0)
			return vmf_fs_error(len);
		if (foo_prepare(inode, folio) < 0)
			return VM_FAULT_SIGBUS;
		folio_mark_dirty(folio);
	}
	return VM_FAULT_LOCKED;
}

/* freeze protection by a guard, and ended by hand as well */
DEFINE_GUARD(s_freeze, struct super_block *, sb_start_pagefault(_T), sb_end_pagefault(_T))

vm_fault_t bad_freeze_s07_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	guard(s_freeze)(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	folio_mark_dirty(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

/* `continue` in a loop starts it again */
vm_fault_t bad_freeze_s08_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	int tries = 3;

	while (tries--) {
		ssize_t len;

		sb_start_pagefault(inode->i_sb);
		len = filemap_mkwrite_lock(vmf);
		if (len == -EAGAIN)
			continue;
		if (len > 0)
			folio_mark_dirty(folio);
		sb_end_pagefault(inode->i_sb);
		return len > 0 ? VM_FAULT_LOCKED : VM_FAULT_SIGBUS;
	}
	return VM_FAULT_NOPAGE;
}

static int s09_finish(struct folio *folio, struct super_block *sb, int err)
{
	if (err)
		folio_unlock(folio);
	else
		folio_mark_dirty(folio);
	if (err != -EIO)
		sb_end_pagefault(sb);
	return err;
}

/* the helper ends it, but not for each error */
vm_fault_t bad_freeze_s09_page_mkwrite(struct vm_fault *vmf)
{
	struct super_block *sb = file_inode(vmf->vma->vm_file)->i_sb;
	ssize_t len;

	sb_start_pagefault(sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(sb);
		return vmf_fs_error(len);
	}
	return vmf_fs_error(s09_finish(page_folio(vmf->page), sb, foo_prepare(NULL, page_folio(vmf->page))));
}

/* the sum of flags never has LOCKED */
vm_fault_t bad_unlocked_s10_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = 0;
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	if (len > PAGE_SIZE)
		ret |= VM_FAULT_MAJOR;
	folio_mark_dirty(page_folio(vmf->page));
	folio_unlock(page_folio(vmf->page));
	return ret;
}

/* LOCKED is masked away */
vm_fault_t bad_unlocked_s11_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = filemap_page_mkwrite(vmf);

	if (ret & VM_FAULT_LOCKED)
		folio_unlock(page_folio(vmf->page));
	return ret & ~VM_FAULT_LOCKED;
}

/* a bool helper stands for the lock */
static bool s12_take(struct vm_fault *vmf)
{
	return filemap_mkwrite_lock(vmf) >= 0;
}

vm_fault_t bad_rank_s12_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	sb_start_pagefault(inode->i_sb);
	if (!s12_take(vmf))
		goto out;
	filemap_invalidate_lock_shared(inode->i_mapping);
	folio_mark_dirty(page_folio(vmf->page));
	filemap_invalidate_unlock_shared(inode->i_mapping);
	ret = VM_FAULT_LOCKED;
out:
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* journal under the folio lock that another handler took */
vm_fault_t bad_rank_s13_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = filemap_page_mkwrite(vmf);

	if (ret & VM_FAULT_LOCKED) {
		void *handle = jbd2_journal_start(inode, 1);

		foo_journal_stop(handle);
	}
	return ret;
}

/* trylock by a conditional guard */
vm_fault_t bad_try_s14_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	scoped_cond_guard(rwsem_write_try, return VM_FAULT_NOPAGE, &inode->i_rwsem) {
		return filemap_page_mkwrite(vmf);
	}
	return VM_FAULT_SIGBUS;
}

/* NOPAGE was set long before */
vm_fault_t bad_try_s15_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	if (!inode_trylock_shared(inode))
		return ret;
	ret = filemap_page_mkwrite(vmf);
	inode_unlock_shared(inode);
	return ret;
}

/* the claim is rounded up to the block */
vm_fault_t bad_claim_s16_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	size_t all = folio_size(folio), done = PAGE_SIZE;
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	if (foo_prepare_range(inode, (loff_t)vmf->pgoff << PAGE_SHIFT, done)) {
		folio_unlock(folio);
		return VM_FAULT_SIGBUS;
	}
	folio_mark_dirty(folio);
	vmf->prepared = all;
	return VM_FAULT_LOCKED;
}

/* i_size in a helper's out parameter, from before the lock */
static int s17_look(struct inode *inode, loff_t pos, loff_t *size)
{
	*size = i_size_read(inode);
	return pos < *size ? 0 : -EFAULT;
}

vm_fault_t bad_isize_s17_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	loff_t size;

	if (s17_look(inode, folio_pos(folio), &size))
		return VM_FAULT_SIGBUS;
	folio_lock(folio);
	if (folio->mapping != inode->i_mapping) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	if (size - folio_pos(folio) < PAGE_SIZE)
		foo_prepare_range(inode, folio_pos(folio), size - folio_pos(folio));
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* locked again in the arm that waits, the look is only in the other */
vm_fault_t bad_mapping_s18_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct page *page = vmf->page;
	bool again = false;

relock:
	lock_page(page);
	if (!again && (page->mapping != inode->i_mapping || page_offset(page) >= i_size_read(inode))) {
		unlock_page(page);
		return VM_FAULT_NOPAGE;
	}
	if (foo_prepare(inode, page_folio(page)) == -EAGAIN) {
		unlock_page(page);
		foo_reserve_space(inode, PAGE_SIZE);
		again = true;
		goto relock;
	}
	set_page_dirty(page);
	return VM_FAULT_LOCKED;
}

/* WARN_ON() is no check */
vm_fault_t bad_mapping_s19_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	WARN_ON_ONCE(folio->mapping != inode->i_mapping);
	if (folio_pos(folio) >= i_size_read(inode)) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}
