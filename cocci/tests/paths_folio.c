// SPDX-License-Identifier: GPL-2.0
// Mistakes of a held-back set, written before the judge of paths was.
#include "kernel.h"

/* 7: one page is prepared, all is claimed */
vm_fault_t bad_claim_h60_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	if (foo_prepare_range(inode, (loff_t)vmf->pgoff << PAGE_SHIFT, PAGE_SIZE)) {
		folio_unlock(page_folio(vmf->page));
		return VM_FAULT_SIGBUS;
	}
	folio_mark_dirty(page_folio(vmf->page));
	vmf->prepared = len;
	return VM_FAULT_LOCKED;
}

/* 7: the whole folio, although the file ends inside */
vm_fault_t bad_claim_h61_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	if (foo_prepare_range(inode, folio_pos(folio), len)) {
		folio_unlock(folio);
		return VM_FAULT_SIGBUS;
	}
	folio_mark_dirty(folio);
	vmf->prepared = folio_size(folio);
	return VM_FAULT_LOCKED;
}

/* 7: worked out from i_size again */
vm_fault_t bad_claim_h62_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len = filemap_mkwrite_lock(vmf);
	loff_t end;

	if (len < 0)
		return vmf_fs_error(len);
	if (foo_prepare_range(inode, folio_pos(folio), len)) {
		folio_unlock(folio);
		return VM_FAULT_SIGBUS;
	}
	end = i_size_read(inode) - folio_pos(folio);
	folio_mark_dirty(folio);
	vmf->prepared = end;
	return VM_FAULT_LOCKED;
}

/* 7: one block, through a variable */
vm_fault_t bad_claim_h63_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	size_t bs = i_blocksize(inode);
	ssize_t len;
	int err;

	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	err = foo_prepare_range(inode, folio_pos(folio), bs);
	if (!err) {
		folio_mark_dirty(folio);
		vmf->prepared = len;
		return VM_FAULT_LOCKED;
	}
	folio_unlock(folio);
	return vmf_fs_error(err);
}

/* 8: decides by an old i_size, in a variable */
vm_fault_t bad_isize_h70_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	loff_t size = i_size_read(inode);

	folio_lock(folio);
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= size) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* 8: the length is worked out before filemap_mkwrite_lock() and used after it */
vm_fault_t bad_isize_h71_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	size_t want = min_t(loff_t, folio_size(folio), i_size_read(inode) - folio_pos(folio));
	ssize_t len;

	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		return vmf_fs_error(len);
	if (foo_prepare_range(inode, folio_pos(folio), want)) {
		folio_unlock(folio);
		return VM_FAULT_SIGBUS;
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

static bool h72_inside(struct inode *inode, struct folio *folio)
{
	return folio_pos(folio) < inode->i_size;
}

/* 8: the look is in a helper, before the lock */
vm_fault_t bad_isize_h72_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	bool inside = h72_inside(inode, folio);

	folio_lock(folio);
	if (!inside || folio->mapping != inode->i_mapping) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/* 9: dropped to wait, taken again, no look */
vm_fault_t bad_mapping_h80_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len = filemap_mkwrite_lock(vmf);

	if (len < 0)
		return vmf_fs_error(len);
	if (foo_prepare(inode, folio) == -ENOSPC) {
		folio_unlock(folio);
		foo_reserve_space(inode, len);
		folio_lock(folio);
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

static void h81_wait(struct folio *folio, struct inode *inode)
{
	unlock_page(folio_page(folio, 0));
	foo_reserve_space(inode, PAGE_SIZE);
	__folio_lock(folio);
}

/* 9: by a helper */
vm_fault_t bad_mapping_h81_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);

	folio_lock(folio);
	if (!folio->mapping || folio_pos(folio) >= i_size_read(inode)) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	while (foo_prepare(inode, folio) == -EAGAIN)
		h81_wait(folio, inode);
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}
