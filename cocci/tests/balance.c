// SPDX-License-Identifier: GPL-2.0
// VM_FAULT_LOCKED with the folio unlocked, or an error with it locked
#include "kernel.h"

vm_fault_t bad_error_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	if (folio->mapping != vmf->vma->vm_file->f_mapping)
		return VM_FAULT_NOPAGE;
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_goto_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	if (foo_prepare(inode, folio)) {
		ret = VM_FAULT_SIGBUS;
		goto out;
	}
	folio_mark_dirty(folio);
out:
	sb_end_pagefault(inode->i_sb);
	return ret;
}

vm_fault_t bad_killable_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	if (folio_lock_killable(folio) < 0)
		return VM_FAULT_NOPAGE;
	if (!folio_test_uptodate(folio))
		return VM_FAULT_SIGBUS;
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_unlocked_page_mkwrite(struct vm_fault *vmf)
{
	struct page *page = vmf->page;

	lock_page(page);
	set_page_dirty(page);
	unlock_page(page);
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_mixed_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;

	folio_lock(folio);
	if (!folio->mapping) {
		folio_unlock(folio);
		ret = VM_FAULT_LOCKED | VM_FAULT_NOPAGE;
	}
	return ret;
}

vm_fault_t ok_plain_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	if (!folio->mapping) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_late_unlock_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;

	folio_lock(folio);
	if (!folio->mapping)
		ret = VM_FAULT_NOPAGE;
	if (ret != VM_FAULT_LOCKED)
		folio_unlock(folio);
	return ret;
}

vm_fault_t ok_killable_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	if (folio_lock_killable(folio) < 0)
		goto out;
	if (!folio->mapping)
		goto unlock;
	ret = VM_FAULT_LOCKED;
out:
	return ret;
unlock:
	folio_unlock(folio);
	goto out;
}

/* Unlocks to wait, and locks again. */
vm_fault_t ok_again_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);

again:
	folio_lock(folio);
	if (foo_prepare(inode, folio)) {
		folio_unlock(folio);
		goto again;
	}
	return VM_FAULT_LOCKED;
}

/* The helper returns locked if the length is positive. */
vm_fault_t bad_helper_page_mkwrite(struct vm_fault *vmf)
{
	ssize_t len;

	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	if (foo_prepare(NULL, page_folio(vmf->page)))
		return VM_FAULT_SIGBUS;
	return VM_FAULT_LOCKED;
}

vm_fault_t ok_helper_page_mkwrite(struct vm_fault *vmf)
{
	ssize_t len;

	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	if (foo_prepare(NULL, page_folio(vmf->page))) {
		folio_unlock(page_folio(vmf->page));
		return VM_FAULT_SIGBUS;
	}
	return VM_FAULT_LOCKED;
}

/* LOCKED with another bit beside it is LOCKED. */
vm_fault_t bad_major_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	return VM_FAULT_LOCKED | VM_FAULT_MAJOR;
}

vm_fault_t bad_major_early_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_MAJOR | VM_FAULT_LOCKED;

	folio_lock(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	return ret;
}

vm_fault_t ok_major_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	folio_lock(folio);
	if (!foo_prepare(NULL, folio))
		ret = VM_FAULT_LOCKED | VM_FAULT_MAJOR;
	else
		folio_unlock(folio);
	return ret;
}

vm_fault_t ok_major_tested_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED | VM_FAULT_MAJOR;

	folio_lock(folio);
	if (foo_prepare(NULL, folio))
		ret = VM_FAULT_SIGBUS;
	if (!(ret & VM_FAULT_LOCKED))
		folio_unlock(folio);
	return ret;
}

/* The error is from before the lock. */
vm_fault_t bad_before_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	sb_start_pagefault(inode->i_sb);
	if (folio_lock_killable(folio) < 0)
		goto out;
	if (foo_prepare(inode, folio) == 0)
		ret = VM_FAULT_LOCKED;
out:
	sb_end_pagefault(inode->i_sb);
	return ret;
}
