// SPDX-License-Identifier: GPL-2.0
// Mistakes of a held-back set, written before the judge of paths was.
#include "kernel.h"

struct h_req { struct folio *folio; int state; };

static int h_reserve(struct inode *inode, struct folio *folio)
{
	if (!inode->i_size)
		return -ENOSPC;
	return foo_prepare(inode, folio);
}

/* 1: the error is or-ed to LOCKED */
vm_fault_t bad_balance_h01_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_LOCKED;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	if (h_reserve(inode, page_folio(vmf->page)))
		ret |= VM_FAULT_SIGBUS;
	else
		folio_mark_dirty(page_folio(vmf->page));
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* 1: by a ternary in the return */
vm_fault_t bad_balance_h02_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len = filemap_mkwrite_lock(vmf);
	int err;

	if (len < 0)
		return vmf_fs_error(len);
	err = h_reserve(inode, page_folio(vmf->page));
	return VM_FAULT_LOCKED | (err ? vmf_error(err) : 0);
}

/* 1: a switch maps the error, one arm keeps LOCKED beside NOPAGE */
vm_fault_t bad_balance_h03_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;

	folio_lock(folio);
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= i_size_read(inode)) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	switch (h_reserve(inode, folio)) {
	case 0:
		folio_mark_dirty(folio);
		break;
	case -EAGAIN:
		ret |= VM_FAULT_NOPAGE;
		break;
	default:
		folio_unlock(folio);
		ret = VM_FAULT_SIGBUS;
	}
	return ret;
}

static vm_fault_t h04_status(int err)
{
	if (err == -ENOMEM)
		return VM_FAULT_OOM;
	if (err)
		return VM_FAULT_SIGBUS;
	return VM_FAULT_LOCKED;
}

/* 1, balance: a helper maps the error, nobody unlocks */
vm_fault_t bad_balance_h04_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len = filemap_mkwrite_lock(vmf);
	int err;

	if (len < 0)
		return vmf_fs_error(len);
	err = h_reserve(inode, page_folio(vmf->page));
	if (!err)
		folio_mark_dirty(page_folio(vmf->page));
	return h04_status(err);
}

/* 3: unlocked by the helper on its error, and by the handler again */
static int h05_prepare(struct inode *inode, struct folio *folio)
{
	int err = foo_prepare(inode, folio);

	if (err)
		goto fail;
	folio_mark_dirty(folio);
	return 0;
fail:
	folio_unlock(folio);
	return err;
}

vm_fault_t bad_balance_h05_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len = filemap_mkwrite_lock(vmf);
	int err;

	if (len < 0)
		return vmf_fs_error(len);
	err = h05_prepare(inode, folio);
	if (err) {
		folio_unlock(folio);
		return vmf_fs_error(err);
	}
	return VM_FAULT_LOCKED;
}

/* 3: unlocked, LOCKED returned, through a label */
vm_fault_t bad_balance_h06_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct page *page = vmf->page;
	vm_fault_t ret = VM_FAULT_NOPAGE;
	int tries = 0;

	lock_page(page);
	if (page->mapping != inode->i_mapping)
		goto unlock;
	if (page_offset(page) >= i_size_read(inode))
		goto unlock;
	ret = VM_FAULT_LOCKED;
	if (foo_prepare(inode, page_folio(page)) && tries++ < 3)
		goto unlock;
	set_page_dirty(page);
	return ret;
unlock:
	unlock_page(page);
	return ret;
}

/* balance: an unrelated `if (x < 0)` stands between lock and error */
vm_fault_t bad_balance_h07_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;
	int n;

	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	n = inode->i_sb->s_flags;
	if (n < 0)
		n = 0;
	if (foo_reserve_space(inode, n))
		return VM_FAULT_SIGBUS;
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* balance: a mutex_unlock() after the folio's unlock must not hide it */
vm_fault_t bad_balance_h08_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	struct foo_inode *fi = inode->i_private;
	ssize_t len;

	mutex_lock(&fi->lock);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		mutex_unlock(&fi->lock);
		return vmf_fs_error(len);
	}
	folio_mark_dirty(folio);
	folio_unlock(folio);
	mutex_unlock(&fi->lock);
	return VM_FAULT_LOCKED;
}

/* balance: the wrapper turns the answer of another handler into an error and keeps the lock */
vm_fault_t bad_balance_h09_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	ret = filemap_page_mkwrite(vmf);
	if (ret == VM_FAULT_LOCKED && inode->i_sb->s_flags)
		return VM_FAULT_SIGBUS;
	return ret;
}

/* balance: a guard whose scope ends before the return */
DEFINE_GUARD(h_folio, struct folio *, folio_lock(_T), folio_unlock(_T))

vm_fault_t bad_balance_h10_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);

	guard(h_folio)(folio);
	if (folio->mapping != inode->i_mapping)
		return VM_FAULT_NOPAGE;
	if (folio_pos(folio) >= i_size_read(inode))
		return VM_FAULT_NOPAGE;
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* balance: the loop leaves with the folio locked */
vm_fault_t bad_balance_h11_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	int i;

	for (i = 0; i < 3; i++) {
		ssize_t len = filemap_mkwrite_lock(vmf);

		if (len < 0)
			return vmf_fs_error(len);
		if (!foo_prepare(inode, folio)) {
			folio_mark_dirty(folio);
			return VM_FAULT_LOCKED;
		}
		if (i == 2)
			break;
		folio_unlock(folio);
	}
	return VM_FAULT_SIGBUS;
}
