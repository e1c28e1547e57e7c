// SPDX-License-Identifier: GPL-2.0
// A third held-back set (m01 to m07, m10 to m14), and guards whose names say nothing.
#include "kernel.h"

/* ---- correct ---- */

/* mutex by a conditional guard of cleanup.h */
vm_fault_t ok_m01_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct foo_inode *fi = inode->i_private;
	int err;

	ACQUIRE(mutex_intr, lock)(&fi->lock);
	err = ACQUIRE_ERR(mutex_intr, &lock);
	if (err)
		return vmf_error(err);
	return filemap_page_mkwrite(vmf);
}

/* a loop without a condition */

vm_fault_t ok_m02_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len = 0;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	for (;;) {
		len = filemap_mkwrite_lock(vmf);
		if (len < 0) {
			err = len;
			break;
		}
		err = foo_prepare_range(inode, folio_pos(folio), len);
		if (!err) {
			folio_mark_dirty(folio);
			break;
		}
		folio_unlock(folio);
		if (err != -EAGAIN)
			break;
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* the error leaves through a helper that never returns success */
static vm_fault_t m03_bail(struct vm_fault *vmf, int err, bool locked)
{
	if (locked)
		folio_unlock(page_folio(vmf->page));
	sb_end_pagefault(file_inode(vmf->vma->vm_file)->i_sb);
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

vm_fault_t ok_m03_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	int err = foo_reserve_space(inode, PAGE_SIZE);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	if (err)
		return m03_bail(vmf, err, false);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return m03_bail(vmf, len, false);
	err = foo_prepare(inode, page_folio(vmf->page));
	if (err)
		return m03_bail(vmf, err, true);
	folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* the mapping is compared by a helper with three answers */
static int m04_where(struct folio *folio, struct inode *inode)
{
	if (!folio->mapping)
		return -1;
	if (folio->mapping != inode->i_mapping)
		return -1;
	return folio_pos(folio) + folio_size(folio) <= i_size_read(inode) ? 1 : folio_pos(folio) < i_size_read(inode) ? 0 : -1;
}

vm_fault_t ok_m04_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	switch (m04_where(folio, inode)) {
	case -1:
		folio_unlock(folio);
		ret = VM_FAULT_NOPAGE;
		break;
	case 0:
	case 1:
		folio_mark_dirty(folio);
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* the lock is left to a flag that a later test reads */
vm_fault_t ok_m05_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	unsigned int done = 0;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	done |= 1;
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		goto out;
	done |= 2;
	len = foo_prepare(inode, folio);
	if (len < 0)
		goto out;
	len = 0;
	folio_mark_dirty(folio);
	done &= ~2;
out:
	if (done & 2)
		folio_unlock(folio);
	if (done & 1)
		sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len);
}

/* asks the table of another file system */
vm_fault_t ok_m06_page_mkwrite(struct vm_fault *vmf)
{
	const struct vm_operations_struct *lower = vmf->vma->vm_private_data;
	struct super_block *sb = file_inode(vmf->vma->vm_file)->i_sb;
	vm_fault_t ret;

	if (!lower || !lower->page_mkwrite)
		return VM_FAULT_SIGBUS;
	sb_start_pagefault(sb);
	ret = lower->page_mkwrite(vmf);
	sb_end_pagefault(sb);
	return ret;
}

/* old names, the page API */
vm_fault_t ok_m07_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct page *page = vmf->page;
	int ret;

	sb_start_pagefault(inode->i_sb);
	ret = block_page_mkwrite(vmf->vma, vmf, NULL);
	sb_end_pagefault(inode->i_sb);
	if (ret == 0)
		set_page_dirty(page);
	return block_page_mkwrite_return(ret);
}

/* guards whose names say nothing */
DEFINE_GUARD(m08_a, struct super_block *, sb_start_pagefault(_T), sb_end_pagefault(_T))
DEFINE_FREE(m08_b, struct folio *, if (_T) folio_unlock(_T))

vm_fault_t ok_m08_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio __free(m08_b) = NULL;
	ssize_t len;

	guard(m08_a)(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	folio = page_folio(vmf->page);
	if (foo_prepare(inode, folio))
		return VM_FAULT_SIGBUS;
	folio_mark_dirty(folio);
	retain_and_null_ptr(folio);
	return VM_FAULT_LOCKED;
}

/* ---- mistakes ---- */

/* the guard ends it, once more */
vm_fault_t bad_freeze_m09_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	guard(m08_a)(inode->i_sb);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_SIGBUS;
}

/* __free unlocks what is returned as locked */
vm_fault_t bad_balance_m15_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio __free(m08_b) = NULL;

	if (filemap_mkwrite_lock(vmf) < 0)
		return VM_FAULT_SIGBUS;
	folio = page_folio(vmf->page);
	return VM_FAULT_LOCKED;
}


/* ret is int, and carries an errno to the end of one path */
vm_fault_t bad_retry_m10_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	int ret;

	sb_start_pagefault(inode->i_sb);
	ret = foo_reserve_space(inode, PAGE_SIZE);
	if (!ret)
		ret = filemap_page_mkwrite(vmf);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* a flag word that forgets the unlock */
vm_fault_t bad_balance_m11_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	bool locked = false;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	sb_start_pagefault(inode->i_sb);
	if (filemap_mkwrite_lock(vmf) < 0)
		goto out;
	if (foo_prepare(inode, folio))
		goto out;
	locked = true;
	folio_mark_dirty(folio);
	ret = VM_FAULT_LOCKED;
out:
	if (locked && ret != VM_FAULT_LOCKED)
		folio_unlock(folio);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* NOPAGE by -EAGAIN from a failed trylock, by a wrapper around vmf_fs_error() */
static vm_fault_t m12_answer(int err)
{
	return vmf_fs_error(err);
}

vm_fault_t bad_try_m12_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	if (!inode_trylock(inode))
		return m12_answer(-EAGAIN);
	ret = filemap_page_mkwrite(vmf);
	inode_unlock(inode);
	return ret;
}

/* the other handler's lock is dropped, LOCKED is handed on */
vm_fault_t bad_balance_m13_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = filemap_page_mkwrite(vmf);

	if (ret != VM_FAULT_LOCKED)
		return ret;
	if (foo_prepare(file_inode(vmf->vma->vm_file), page_folio(vmf->page)))
		folio_unlock(page_folio(vmf->page));
	return ret;
}

/* marks dirty, drops and retakes the lock to wait, and leaves freeze protection before */
vm_fault_t bad_early_m14_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len >= 0)
		folio_mark_dirty(folio);
	if (len >= 0 && foo_prepare(inode, folio)) {
		folio_unlock(folio);
		len = filemap_mkwrite_lock(vmf);
	}
	sb_end_pagefault(inode->i_sb);
	return len < 0 ? vmf_fs_error(len) : VM_FAULT_LOCKED;
}
