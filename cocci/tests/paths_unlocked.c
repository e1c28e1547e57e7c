// SPDX-License-Identifier: GPL-2.0
// Mistakes of a held-back set, written before the judge of paths was.
#include "kernel.h"

/* 4: the ternary's success is 0 */
vm_fault_t bad_unlocked_h30_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len = filemap_mkwrite_lock(vmf);
	int err;

	if (len < 0)
		return vmf_fs_error(len);
	err = foo_prepare(inode, page_folio(vmf->page));
	folio_unlock(page_folio(vmf->page));
	return err ? VM_FAULT_SIGBUS : 0;
}

/* 4: no path sets ret to LOCKED */
vm_fault_t bad_unlocked_h31_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = 0;
	int err;

	folio_lock(folio);
	if (folio->mapping != inode->i_mapping) {
		ret = VM_FAULT_NOPAGE;
		goto out;
	}
	if (folio_pos(folio) >= i_size_read(inode)) {
		ret = VM_FAULT_SIGBUS;
		goto out;
	}
	err = foo_prepare(inode, folio);
	if (err < 0) {
		ret = vmf_fs_error(err);
		goto out;
	}
	folio_mark_dirty(folio);
	return ret;
out:
	folio_unlock(folio);
	return ret;
}

static vm_fault_t h32_do(struct inode *inode, struct folio *folio)
{
	vm_fault_t res = VM_FAULT_SIGBUS;

	if (!foo_prepare(inode, folio)) {
		folio_mark_dirty(folio);
		res = 0;
	}
	return res;
}

/* 4: the helper's 0 becomes the handler's */
vm_fault_t bad_unlocked_h32_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len = filemap_mkwrite_lock(vmf);
	vm_fault_t ret;

	if (len < 0)
		return vmf_fs_error(len);
	ret = h32_do(inode, folio);
	if (ret)
		folio_unlock(folio);
	return ret;
}

/* 4: a switch's default */
vm_fault_t bad_unlocked_h33_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret;
	ssize_t len = filemap_mkwrite_lock(vmf);

	switch (len) {
	case -EINTR:
		ret = VM_FAULT_SIGBUS;
		break;
	case -EAGAIN:
		ret = VM_FAULT_NOPAGE;
		break;
	default:
		folio_mark_dirty(folio);
		folio_unlock(folio);
		ret = 0;
		break;
	}
	return ret;
}
