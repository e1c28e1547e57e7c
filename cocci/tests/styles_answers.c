// SPDX-License-Identifier: GPL-2.0
// What a call answers: a folio or ERR_PTR(), what another handler says, how much was prepared.
#include "kernel.h"

ssize_t ext_map(struct inode *inode, loff_t pos, size_t len);
int ext_add(struct inode *inode, struct folio *folio, size_t len);
void ext_credit(struct inode *inode, int pages);
extern const struct vm_operations_struct generic_file_vm_ops;

/* ---- a folio, or ERR_PTR() of an answer ---- */

static struct folio *ext_locked(struct vm_fault *vmf, struct inode *inode)
{
	ssize_t len = filemap_mkwrite_lock(vmf);
	struct folio *folio = page_folio(vmf->page);
	int err;

	if (len < 0)
		return ERR_PTR(len);
	err = ext_add(inode, folio, len);
	if (err) {
		folio_unlock(folio);
		return ERR_PTR(err);
	}
	folio_mark_dirty(folio);
	return folio;
}

vm_fault_t ok_errptr_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;

	sb_start_pagefault(inode->i_sb);
	folio = ext_locked(vmf, inode);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(PTR_ERR_OR_ZERO(folio));
}

vm_fault_t ok_errptr_asked_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;

	sb_start_pagefault(inode->i_sb);
	folio = ext_locked(vmf, inode);
	sb_end_pagefault(inode->i_sb);
	if (!IS_ERR(folio))
		return VM_FAULT_LOCKED;
	return vmf_fs_error(PTR_ERR(folio));
}

/* with its error dropped */
vm_fault_t bad_balance_errptr_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;

	sb_start_pagefault(inode->i_sb);
	folio = ext_locked(vmf, inode);
	sb_end_pagefault(inode->i_sb);
	return folio ? VM_FAULT_LOCKED : VM_FAULT_SIGBUS;
}

static struct folio *ext_kept(struct vm_fault *vmf, struct inode *inode)
{
	ssize_t len = filemap_mkwrite_lock(vmf);
	struct folio *folio = page_folio(vmf->page);
	int err;

	if (len < 0)
		return ERR_PTR(len);
	err = ext_add(inode, folio, len);
	if (!err)
		folio_mark_dirty(folio);
	return err ? ERR_PTR(err) : folio;
}

/* locked beside the second error */
vm_fault_t bad_balance_errptr_kept_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;

	sb_start_pagefault(inode->i_sb);
	folio = ext_kept(vmf, inode);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(PTR_ERR_OR_ZERO(folio));
}

/* ---- another handler, through a pointer to its table ---- */

static const struct vm_operations_struct *ext_generic = &generic_file_vm_ops;

vm_fault_t ok_table_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	ext_credit(inode, 1);
	ret = ext_generic->page_mkwrite(vmf);
	if (!(ret & VM_FAULT_LOCKED))
		ext_credit(inode, -1);
	return ret;
}

vm_fault_t ok_table_local_page_mkwrite(struct vm_fault *vmf)
{
	const struct vm_operations_struct *below = &generic_file_vm_ops;
	vm_fault_t ret = below->page_mkwrite(vmf);

	if (ret & VM_FAULT_LOCKED)
		ext_credit(file_inode(vmf->vma->vm_file), 1);
	return ret;
}

vm_fault_t bad_balance_table_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = ext_generic->page_mkwrite(vmf);

	if (ret & VM_FAULT_ERROR)
		return ret;
	ext_credit(file_inode(vmf->vma->vm_file), 1);
	return VM_FAULT_LOCKED;
}

vm_fault_t bad_balance_table_undone_page_mkwrite(struct vm_fault *vmf)
{
	vm_fault_t ret = generic_file_vm_ops.page_mkwrite(vmf);

	if (ret & VM_FAULT_LOCKED)
		folio_unlock(page_folio(vmf->page));
	return ret;
}

/* ---- how much was prepared ---- */

vm_fault_t bad_claim_part_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len, err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	err = len;
	if (len > 0) {
		size_t part = min_t(size_t, len, (vmf->pgoff + 1 - folio->index) << PAGE_SHIFT);

		err = ext_map(inode, folio_pos(folio), part);
		if (err < 0) {
			folio_unlock(folio);
		} else {
			folio_mark_dirty(folio);
			vmf->prepared = len;
		}
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err < 0 ? err : 0);
}

vm_fault_t ok_claim_part_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len, err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	err = len;
	if (len > 0) {
		size_t part = min_t(size_t, len, (vmf->pgoff + 1 - folio->index) << PAGE_SHIFT);

		err = ext_map(inode, folio_pos(folio), part);
		if (err < 0) {
			folio_unlock(folio);
		} else {
			folio_mark_dirty(folio);
			vmf->prepared = part;
		}
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err < 0 ? err : 0);
}

/* as much as could be had, and that is claimed */
vm_fault_t ok_claim_count_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len, n;

	sb_start_pagefault(inode->i_sb);
	len = n = filemap_mkwrite_lock(vmf);
	if (len > 0) {
		n = ext_map(inode, folio_pos(folio), len);
		if (n > 0) {
			folio_mark_dirty(folio);
			vmf->prepared = min_t(size_t, n, len);
		} else {
			folio_unlock(folio);
			n = n ? n : -ENOSPC;
		}
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(n < 0 ? n : 0);
}

/* in steps, to the end */
vm_fault_t ok_claim_steps_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len, done = 0, n = 0;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	while (done < len) {
		n = ext_map(inode, folio_pos(folio) + done, len - done);
		if (n <= 0)
			break;
		done += n;
	}
	if (done < len) {
		folio_unlock(folio);
		sb_end_pagefault(inode->i_sb);
		return VM_FAULT_SIGBUS;
	}
	folio_mark_dirty(folio);
	vmf->prepared = len;
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}
