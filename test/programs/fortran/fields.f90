! A module with an allocatable array and one of fixed size.
module fields
  implicit none
  integer, parameter :: n = 1000
  real(8), allocatable :: grid(:)
  real(8) :: table(n)
contains
  subroutine fill()
    integer :: i
    do i = 1, n
      grid(i) = i
      table(i) = 2 * i
    end do
  end subroutine
end module
