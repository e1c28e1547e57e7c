// SPDX-License-Identifier: GPL-2.0
// The fields of a struct, a folio that is dirty already, the folio's end and i_size, the place of the page in it.
#include "kernel.h"

struct foo_fault {
	struct vm_fault *vmf;
	struct folio *folio;
	long len;
	int error;
	bool locked;
	vm_fault_t ret;
};

static bool f0_lock(struct foo_fault *ff)
{
	long n = filemap_mkwrite_lock(ff->vmf);

	if (n < 0) {
		ff->error = n;
		return false;
	}
	ff->len = n;
	ff->locked = true;
	return true;
}

/* the initializer leaves out .locked, which is false then */
vm_fault_t ok_f0_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct foo_fault ff = { .vmf = vmf, .folio = page_folio(vmf->page) };

	sb_start_pagefault(inode->i_sb);
	if (f0_lock(&ff)) {
		ff.error = foo_reserve(inode, folio_pos(ff.folio), ff.len);
		if (ff.error) {
			folio_unlock(ff.folio);
			ff.locked = false;
		} else {
			folio_mark_dirty(ff.folio);
			vmf->prepared = ff.len;
		}
	}
	sb_end_pagefault(inode->i_sb);
	return ff.locked ? VM_FAULT_LOCKED : vmf_fs_error(ff.error);
}

/* .ret is 0 on one path */
vm_fault_t bad_unlocked_f1_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct foo_fault ff = { .vmf = vmf, .folio = page_folio(vmf->page) };

	sb_start_pagefault(inode->i_sb);
	if (f0_lock(&ff)) {
		folio_mark_dirty(ff.folio);
		vmf->prepared = ff.len;
	} else {
		ff.ret = vmf_fs_error(ff.error);
	}
	sb_end_pagefault(inode->i_sb);
	return ff.ret;
}

/* a folio that is dirty under its lock need not be marked again */
vm_fault_t ok_f2_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	if (!folio_test_dirty(folio))
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* dirty before the lock says nothing */
vm_fault_t bad_early_f3_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	bool dirty;
	long len;

	sb_start_pagefault(inode->i_sb);
	dirty = folio_test_dirty(folio);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	if (!dirty)
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* the other way round */
vm_fault_t bad_early_f4_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	if (folio_test_dirty(folio))
		folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* the whole folio, unless i_size is inside of it */
vm_fault_t ok_f5_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	loff_t size;
	size_t len;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	size = i_size_read(inode);
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= size) {
		folio_unlock(folio);
		sb_end_pagefault(inode->i_sb);
		return VM_FAULT_NOPAGE;
	}
	len = folio_size(folio);
	if (size < folio_pos(folio) + len)
		len = size - folio_pos(folio);
	folio_mark_dirty(folio);
	vmf->prepared = len;
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* the two answers are the wrong way round */
vm_fault_t bad_claim_f6_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	loff_t size;

	sb_start_pagefault(inode->i_sb);
	folio_lock(folio);
	size = i_size_read(inode);
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= size) {
		folio_unlock(folio);
		sb_end_pagefault(inode->i_sb);
		return VM_FAULT_NOPAGE;
	}
	vmf->prepared = folio_pos(folio) + folio_size(folio) <= size ? size - folio_pos(folio) : folio_size(folio);
	folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

struct foo_span {
	size_t from;
	size_t to;
};

static struct foo_span f7_span(struct vm_fault *vmf, struct folio *folio, size_t len)
{
	struct foo_span s;

	s.from = folio_page_idx(folio, vmf->page) << PAGE_SHIFT;
	s.to = min_t(size_t, s.from + PAGE_SIZE, len);
	return s;
}

/* prepared from the beginning of the folio to the end of the page */
vm_fault_t ok_f7_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	struct foo_span span;
	long len;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	span = f7_span(vmf, folio, len);
	err = foo_reserve(inode, folio_pos(folio), span.to);
	if (err) {
		folio_unlock(folio);
	} else {
		folio_mark_dirty(folio);
		vmf->prepared = span.to;
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* only that page, and the claim has those before it, too */
vm_fault_t bad_claim_f8_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	struct foo_span span;
	long len;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	span = f7_span(vmf, folio, len);
	err = foo_reserve(inode, folio_pos(folio) + span.from, span.to - span.from);
	if (err) {
		folio_unlock(folio);
	} else {
		folio_mark_dirty(folio);
		vmf->prepared = span.to;
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* the same by the index of the page and of the folio */
vm_fault_t bad_claim_f9_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	size_t off, end;
	long len;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	off = (vmf->pgoff - folio->index) << PAGE_SHIFT;
	end = min_t(size_t, off + PAGE_SIZE, len);
	err = foo_prepare_range(inode, folio_pos(folio) + off, end - off);
	if (err) {
		folio_unlock(folio);
	} else {
		folio_mark_dirty(folio);
		vmf->prepared = end;
	}
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}
