// SPDX-License-Identifier: GPL-2.0
// Correct handlers in unusual style, of a held-back set written before the judge of paths was.
#include "kernel.h"

DEFINE_GUARD(o_frozen, struct super_block *, sb_start_pagefault(_T), sb_end_pagefault(_T))
DEFINE_FREE(o_unlock, struct folio *, if (_T) folio_unlock(_T))

/* freeze protection by a guard of its own name */
vm_fault_t ok_h01_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len;

	guard(o_frozen)(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	folio_mark_dirty(page_folio(vmf->page));
	return VM_FAULT_LOCKED;
}

/* scoped_guard with an unknown name, around a forward */
vm_fault_t ok_h02_page_mkwrite(struct vm_fault *vmf)
{
	struct foo_inode *fi = file_inode(vmf->vma->vm_file)->i_private;

	scoped_guard(foo_dirty_window, fi) {
		return filemap_page_mkwrite(vmf);
	}
	return VM_FAULT_SIGBUS;
}

/* __free unlocks on every path that does not take the folio away */
vm_fault_t ok_h03_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *locked __free(o_unlock) = NULL;
	ssize_t len;

	guard(o_frozen)(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	locked = page_folio(vmf->page);
	if (foo_prepare(inode, locked))
		return VM_FAULT_SIGBUS;
	folio_mark_dirty(locked);
	retain_and_null_ptr(locked);
	return VM_FAULT_LOCKED;
}

static bool o4_ours(struct folio *folio, struct inode *inode)
{
	return folio->mapping == inode->i_mapping && folio_pos(folio) < i_size_read(inode);
}

static vm_fault_t o4_leave(struct folio *folio, vm_fault_t why)
{
	folio_unlock(folio);
	return why;
}

/* helpers check and unlock */
vm_fault_t ok_h04_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	if (!o4_ours(folio, inode))
		ret = o4_leave(folio, VM_FAULT_NOPAGE);
	else if (foo_prepare(inode, folio))
		ret = o4_leave(folio, VM_FAULT_SIGBUS);
	else
		ret = folio_mark_dirty(folio) ? VM_FAULT_LOCKED : VM_FAULT_LOCKED | VM_FAULT_MAJOR;
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* one exit, the lock follows from the value */
vm_fault_t ok_h05_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	bool locked = false;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	do {
		err = folio_lock_killable(folio);
		if (err)
			break;
		locked = true;
		if (folio->mapping != inode->i_mapping) {
			err = -EAGAIN;
			break;
		}
		if (folio_pos(folio) >= i_size_read(inode)) {
			err = -EFAULT;
			break;
		}
		err = foo_prepare(inode, folio);
		if (err)
			break;
		folio_mark_dirty(folio);
	} while (0);
	if (err && locked)
		folio_unlock(folio);
	sb_end_pagefault(inode->i_sb);
	return err ? vmf_fs_error(err) : VM_FAULT_LOCKED;
}

/* drops the lock and looks again */
vm_fault_t ok_h06_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;
	int err;

	sb_start_pagefault(inode->i_sb);
retry:
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		goto error;
	err = foo_prepare(inode, folio);
	if (err == -ENOSPC) {
		folio_unlock(folio);
		if (!foo_reserve_space(inode, len))
			goto retry;
		len = -ENOSPC;
		goto error;
	}
	if (err) {
		folio_unlock(folio);
		len = err;
		goto error;
	}
	folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
error:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(len);
}

/* a trylock whose failure is an error, not "come again" */
vm_fault_t ok_h07_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	if (!inode_trylock(inode))
		return VM_FAULT_SIGBUS;
	ret = filemap_page_mkwrite(vmf);
	inode_unlock(inode);
	return ret;
}

/* i_size is read early for a cheap test, and again under the lock */
vm_fault_t ok_h08_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	loff_t size = i_size_read(inode);

	if ((loff_t)vmf->pgoff << PAGE_SHIFT >= size)
		return VM_FAULT_SIGBUS;
	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	size = i_size_read(inode);
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= size) {
		folio_unlock(folio);
		sb_end_pagefault(inode->i_sb);
		return VM_FAULT_NOPAGE;
	}
	folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

static int o9_lock(struct vm_fault *vmf, struct folio **foliop)
{
	struct folio *folio = page_folio(vmf->page);
	struct inode *inode = file_inode(vmf->vma->vm_file);

	if (folio_lock_killable(folio))
		return -EINTR;
	if (folio->mapping == inode->i_mapping && folio_pos(folio) < i_size_read(inode)) {
		*foliop = folio;
		return 0;
	}
	folio_unlock(folio);
	return -EAGAIN;
}

/* a locking helper with an out parameter */
vm_fault_t ok_h09_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;
	vm_fault_t ret = VM_FAULT_LOCKED;
	int err;

	sb_start_pagefault(inode->i_sb);
	err = o9_lock(vmf, &folio);
	if (err) {
		ret = err == -EINTR ? VM_FAULT_SIGBUS : VM_FAULT_NOPAGE;
	} else if (foo_prepare(inode, folio)) {
		folio_unlock(folio);
		ret = VM_FAULT_SIGBUS;
	} else {
		folio_mark_dirty(folio);
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* switch for the exits; the whole range prepared, and claimed */
vm_fault_t ok_h10_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	err = foo_prepare_range(inode, folio_pos(folio), len);
	switch (err) {
	case 0:
		vmf->prepared = len;
		folio_mark_dirty(folio);
		break;
	case -ENOSPC:
	case -EDQUOT:
	default:
		folio_unlock(folio);
		break;
	}
	sb_end_pagefault(inode->i_sb);
	return err == 0 ? VM_FAULT_LOCKED : vmf_fs_error(err);
}

/* the flag of the mount decides twice in the same way */
vm_fault_t ok_h11_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	if (inode->i_sb->s_flags & 1)
		filemap_invalidate_lock_shared(inode->i_mapping);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		folio_mark_dirty(folio);
	if (inode->i_sb->s_flags & 1)
		filemap_invalidate_unlock_shared(inode->i_mapping);
	sb_end_pagefault(inode->i_sb);
	if (len > 0)
		return VM_FAULT_LOCKED;
	return vmf_fs_error(len);
}

/* all in one expression */
vm_fault_t ok_h12_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct page *page = vmf->page;
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	lock_page(page);
	ret = page->mapping != inode->i_mapping || page_offset(page) >= i_size_read(inode) ? VM_FAULT_NOPAGE :
	      foo_prepare(inode, page_folio(page)) ? VM_FAULT_SIGBUS : VM_FAULT_LOCKED;
	ret & VM_FAULT_LOCKED ? set_page_dirty(page) : unlock_page(page);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* two functions, the outer one only for freeze protection */
static vm_fault_t o13_inner(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	if (!foo_prepare(inode, page_folio(vmf->page))) {
		folio_mark_dirty(page_folio(vmf->page));
		return VM_FAULT_LOCKED;
	}
	folio_unlock(page_folio(vmf->page));
	return VM_FAULT_SIGBUS;
}

vm_fault_t ok_h13_page_mkwrite(struct vm_fault *vmf)
{
	struct super_block *sb = file_inode(vmf->vma->vm_file)->i_sb;
	vm_fault_t ret;

	sb_start_pagefault(sb);
	ret = o13_inner(vmf);
	sb_end_pagefault(sb);
	return ret;
}
